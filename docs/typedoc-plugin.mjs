// Every export and every member of an exported interface or class has a comment. The members of an object type that
// is written in place (`{ readonly kind: "snapshot"; ... }`) are told by the comment of the field or type around it.

const INSIDE_A_TYPE = /\.__type\.\S+ \(\w+\), .*does not have any documentation/;

/** Called by typedoc. */
export function load(app) {
  const report = app.logger.validationWarning.bind(app.logger);
  app.logger.validationWarning = (message, ...where) => {
    if (!INSIDE_A_TYPE.test(message)) report(message, ...where);
  };
}
