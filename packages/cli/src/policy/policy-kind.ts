/** The files in which the people of a site decide: `authorization.json`, `privacy.json`, `resources.json`. */
export type PolicyKind = "authorization" | "privacy" | "resources";
