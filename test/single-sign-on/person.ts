/** A page that a person has come to. */
export interface VisitedPage {
  readonly url: URL;
  readonly status: number;
  readonly text: string;
}

/** A browser as far as signing in needs one: cookies by host, redirects, forms. */
export class Person {
  readonly #account: string;
  /** Told of each cookie that is set. */
  onCookie: (line: string) => void = () => undefined;
  readonly #cookies = new Map<string, Map<string, string>>();

  constructor(account: string) {
    this.#account = account;
  }

  /** Opens an address and follows redirects, up to one that begins with `until`, which is not asked for. */
  async visit(address: string | URL, until = "\0", form?: URLSearchParams): Promise<VisitedPage> {
    let url = new URL(address);
    let body = form;
    for (let step = 0; step < 20; step += 1) {
      if (url.href.startsWith(until)) return { url, status: 0, text: "" };
      const response = await this.#ask(url, body);
      const location = response.headers.get("location");
      if (response.status < 300 || response.status >= 400 || location === null) {
        return { url, status: response.status, text: await response.text() };
      }
      await response.body?.cancel();
      url = new URL(location, url);
      body = undefined;
    }
    throw new Error("a circle of redirects");
  }

  /** Signs in at the provider's form, which `address` leads to. */
  async signIn(address: string | URL, until?: string): Promise<VisitedPage> {
    const page = await this.visit(address, until);
    if (!page.url.pathname.startsWith("/interaction/")) return page;
    return await this.visit(page.url, until, new URLSearchParams({ account: this.#account }));
  }

  /** Allows a device at the address that it was shown. */
  async allowDevice(address: string): Promise<VisitedPage> {
    let page = await this.visit(address);
    // The code, its confirmation, and the form of who signs in between.
    for (let step = 0; step < 5 && page.text.includes("<form"); step += 1) {
      const fields = page.url.pathname.startsWith("/interaction/")
        ? new URLSearchParams({ account: this.#account })
        : hiddenFields(page.text);
      const action = /action="([^"]+)"/.exec(page.text)?.[1] ?? page.url;
      page = await this.visit(new URL(action, page.url), undefined, fields);
    }
    return page;
  }

  /** Asks as a page of this server would, with this person's cookies. */
  async fetch(address: string, init: RequestInit = {}): Promise<Response> {
    return await fetch(address, {
      ...init,
      headers: { cookie: this.cookieOf(new URL(address)), ...init.headers },
    });
  }

  /** The cookies that go to a host. */
  cookieOf({ host }: URL): string {
    return [...(this.#cookies.get(host) ?? [])].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  async #ask(url: URL, form: URLSearchParams | undefined): Promise<Response> {
    const jar = this.#cookies.get(url.host) ?? new Map<string, string>();
    this.#cookies.set(url.host, jar);
    const cookie = this.cookieOf(url);
    const response = await fetch(url, {
      redirect: "manual",
      headers: { ...(cookie === "" ? {} : { cookie }), accept: "text/html" },
      ...(form === undefined ? {} : { method: "POST", body: form }),
    });
    for (const line of response.headers.getSetCookie()) {
      this.onCookie(line);
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/expires=Thu, 01 Jan 1970|max-age=0/i.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
    return response;
  }
}

/** Fields of a form that have a value already. */
function hiddenFields(text: string): URLSearchParams {
  const fields = new URLSearchParams();
  for (const [tag] of text.matchAll(/<input[^>]*>/g)) {
    const name = /name="([^"]+)"/.exec(tag)?.[1];
    if (name !== undefined) fields.set(name, /value="([^"]*)"/.exec(tag)?.[1] ?? "");
  }
  return fields;
}
