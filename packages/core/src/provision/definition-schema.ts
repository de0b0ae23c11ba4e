import * as v from "valibot";
import { scopeName } from "../filter/index.ts";
import { JURISDICTION_PATTERN, studyName } from "../job/index.ts";
import {
  certificatesFromPem,
  isMachineName,
  isName,
  isUserName,
  NAME_PATTERN,
  type Role,
  USER_NAME_PATTERN,
} from "../pki/index.ts";
import type { ConnectionSecurity, ProjectDefinition } from "./definition.ts";
import type { Study } from "./roster.ts";

const nameExpected = "expected a-z, 0-9, dot, dash, underscore; at most 63 characters";
const name = v.pipe(v.string(), v.regex(NAME_PATTERN, nameExpected), v.check(isName, nameExpected));
const machineName = v.pipe(name, v.check(isMachineName, "server, all and enrol are reserved"));
const org = v.pipe(name, v.description("Organization that the participant belongs to"));

const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9a-fA-F:]{2,39})$/;
const host = v.pipe(v.string(), v.regex(HOST, "expected a host name or an IP address"));

const ADDRESS = /^wss?:\/\/(?:[A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[[0-9a-fA-F:]{2,39}\])(?::[0-9]{1,5})?\/ws$/;
const address = v.pipe(
  v.string(),
  v.maxLength(300),
  v.regex(ADDRESS, "expected wss://host:port/ws, or ws:// where the security is clear"),
  v.check((text) => URL.canParse(text), "expected an address with a port up to 65535"),
);

const jurisdiction = v.exactOptional(
  v.pipe(
    v.string(),
    v.regex(JURISDICTION_PATTERN, "expected a code such as DE, EU or US-CA"),
    v.description("Where the data lies: a code of ISO 3166, or EU"),
  ),
);

const key = v.exactOptional(
  v.pipe(
    v.picklist(["P-256", "RSA-2048", "RSA-3072", "requested"]),
    v.description(
      "Kind of the private key; requested: the participant makes it itself and asks for a certificate",
    ),
  ),
);

const security = v.exactOptional(
  v.pipe(
    v.picklist(["mtls", "tls", "clear"]),
    v.description(
      "mtls: certificates on both sides; tls: of the server or its proxy; clear: only behind a proxy that ends TLS",
    ),
  ),
);
const addresses = v.exactOptional(
  v.pipe(
    v.array(address),
    v.minLength(1),
    v.maxLength(8),
    v.description("Where this participant reaches the server; default: the server's hosts and port"),
  ),
);

/** A file of CAs is no book. */
const MAX_TLS_CA_CHARACTERS = 65_536;
const tlsCa = v.exactOptional(
  v.pipe(
    v.string(),
    v.maxLength(MAX_TLS_CA_CHARACTERS),
    v.check(holdsCertificates, "expected 1 to 8 certificates in PEM, or a file that holds them"),
    v.description(
      "CAs of a proxy that ends TLS before the server: PEM, or the name of a file beside this one",
    ),
  ),
);

function holdsCertificates(pem: string): boolean {
  try {
    const { length } = certificatesFromPem(new TextEncoder().encode(pem));
    return length >= 1 && length <= 8;
  } catch {
    return false; // whatever else it is
  }
}

const ServerSchema = v.strictObject({
  name: machineName,
  org,
  hosts: v.pipe(
    v.array(host),
    v.minLength(1, "expected at least one host"),
    v.maxLength(32),
    v.description("Host names and addresses of the server's certificate; the first is named first"),
  ),
  port: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(65_535)),
  tlsCa,
  approvals: v.exactOptional(
    v.pipe(
      v.picklist([1, 2]),
      v.description("Administrators who have to approve a request without an invite"),
    ),
  ),
  jurisdiction,
  key,
});

const SiteSchema = v.strictObject({ name: machineName, org, security, addresses, jurisdiction, key });

const AdapterSchema = v.strictObject({ name: machineName, org, security, addresses, key });

const UserSchema = v.strictObject({
  name: v.pipe(
    v.string(),
    v.regex(USER_NAME_PATTERN, "expected a lower-case e-mail address"),
    v.check(isUserName, "expected a lower-case e-mail address of at most 128 characters"),
  ),
  org,
  role: v.picklist(["project_admin", "org_admin", "lead", "member"]),
  security,
  addresses,
  key,
});

const StudySchema = v.strictObject({
  name: studyName,
  sites: v.pipe(
    v.array(machineName),
    v.maxLength(10_000),
    v.description("Sites of this project that work for it; pages come by invites of the study"),
  ),
  members: v.pipe(
    v.array(
      v.strictObject({
        name: v.pipe(v.string(), v.maxLength(128)),
        role: v.exactOptional(
          v.pipe(
            v.picklist(["project_admin", "org_admin", "lead", "member"]),
            v.description("What the person is in this study; default: what the certificate says"),
          ),
        ),
      }),
    ),
    v.maxLength(10_000),
    v.description("Users and adapters of this project who see its jobs"),
  ),
});

const days = v.exactOptional(
  v.pipe(v.number(), v.safeInteger(), v.minValue(1, "expected at least one day"), v.maxValue(7_300)),
);

/** The shape of a project definition; what editors and readers with positions check by. */
export const projectSchema: v.GenericSchema<unknown, ProjectDefinition> = v.pipe(
  v.strictObject({
    name,
    key,
    rootKey: v.exactOptional(
      v.pipe(v.picklist(["P-384", "RSA-3072"]), v.description("Kind of the root's key, before it is made")),
    ),
    validity: v.exactOptional(
      v.pipe(
        v.strictObject({ root: days, server: days, site: days, adapter: days, user: days }),
        v.description("Days that certificates and kits are valid, by kind"),
      ),
    ),
    server: ServerSchema,
    sites: v.pipe(v.array(SiteSchema), v.maxLength(10_000)),
    users: v.pipe(v.array(UserSchema), v.maxLength(10_000)),
    adapters: v.exactOptional(v.pipe(v.array(AdapterSchema), v.maxLength(1000))),
    studies: v.exactOptional(
      v.pipe(
        v.array(StudySchema),
        v.minLength(1, "expected at least one study"),
        v.maxLength(1000),
        v.description("Tenants of the project: nothing of one is seen in another"),
      ),
    ),
    scopes: v.exactOptional(
      v.pipe(
        v.array(scopeName),
        v.maxLength(100),
        v.description("Privacy scopes that jobs may name; default: each site alone knows its own"),
      ),
    ),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    for (const { path, message } of conflictsOf(dataset.value)) {
      addIssue({ message, path: pathOf(dataset.value, path) });
    }
  }),
);

/** What a study says of participants who are not there, or of what nobody may be. */
function* studyConflicts(project: ProjectDefinition): Generator<Conflict> {
  const { sites, users, adapters = [], studies = [] } = project;
  const roles = new Map<string, Role>([
    ...users.map(({ name: user, role }) => [user, role] as const),
    ...adapters.map(({ name: adapter }) => [adapter, "adapter"] as const),
  ]);
  const known = new Set(sites.map(({ name: site }) => site));
  const seen = new Set<string>();
  for (const [index, study] of studies.entries()) {
    if (seen.has(study.name)) {
      yield { path: ["studies", index, "name"], message: `two studies have the same name ${study.name}` };
    }
    seen.add(study.name);
    yield* siteConflicts(study, known, ["studies", index, "sites"]);
    yield* memberConflicts(study, roles, ["studies", index, "members"]);
  }
}

function* siteConflicts({ sites }: Study, known: ReadonlySet<string>, place: Place): Generator<Conflict> {
  const named = new Set<string>();
  for (const [at, site] of sites.entries()) {
    const path: Place = [...place, at];
    if (!known.has(site)) yield { path, message: `the project has no site ${site}` };
    else if (named.has(site)) yield { path, message: `it names the site ${site} twice` };
    named.add(site);
  }
}

function* memberConflicts(
  { members }: Study,
  roles: ReadonlyMap<string, Role>,
  place: Place,
): Generator<Conflict> {
  const named = new Set<string>();
  for (const [at, { name: member, role }] of members.entries()) {
    const own = roles.get(member);
    if (own === undefined) {
      yield { path: [...place, at, "name"], message: `the project has no user or adapter ${member}` };
    } else if (named.has(member)) {
      yield { path: [...place, at, "name"], message: `it names the member ${member} twice` };
    } else if (role !== undefined && !isNarrower(role, own)) {
      // Sites believe certificates, not servers: what a study gave beyond that no site would heed.
      const message = `a study gives no more than the certificate, which says ${own}`;
      yield { path: [...place, at, "role"], message };
    }
    named.add(member);
  }
}

/** A study may make less of a role, and nothing else of it. */
function isNarrower(role: Role, own: Role): boolean {
  return role === own || own === "project_admin" || (role === "member" && own !== "adapter");
}

type Place = readonly [key: string | number, ...keys: readonly (string | number)[]];

interface Conflict {
  readonly path: Place;
  readonly message: string;
}

/** What one field alone does not show. */
function* conflictsOf(project: ProjectDefinition): Generator<Conflict> {
  yield* studyConflicts(project);
  const seen = new Set<string>([project.server.name]);
  for (const list of ["sites", "adapters", "users"] as const) {
    for (const [index, participant] of (project[list] ?? []).entries()) {
      const { name: own } = participant;
      if (seen.has(own)) {
        yield { path: [list, index, "name"], message: `two participants have the same name ${own}` };
      }
      seen.add(own);
      const { security: wanted, addresses: listed = [] } = participant;
      yield* addressConflicts({ path: [list, index, "addresses"], security: wanted }, listed);
    }
  }
}

interface AddressPlace {
  readonly path: Place;
  readonly security: ConnectionSecurity | undefined;
}

function* addressConflicts(
  { path, security: wanted = "mtls" }: AddressPlace,
  own: readonly string[],
): Generator<Conflict> {
  const scheme = wanted === "clear" ? "ws:" : "wss:";
  for (const [index, text] of own.entries()) {
    if (text.startsWith(`${scheme}//`)) continue;
    yield { path: [...path, index], message: `an address for security ${wanted} begins with ${scheme}//` };
  }
}

/** A path as valibot's own checks give it. */
function pathOf(root: unknown, keys: Place): [v.IssuePathItem, ...v.IssuePathItem[]] {
  const [first, ...rest] = keys;
  const begin = pathItem(root, first);
  const items: [v.IssuePathItem, ...v.IssuePathItem[]] = [begin];
  let input = begin.value;
  for (const step of rest) {
    const item = pathItem(input, step);
    items.push(item);
    input = item.value;
  }
  return items;
}

function pathItem(input: unknown, step: string | number): v.IssuePathItem {
  const value: unknown = Reflect.get(Object(input), step);
  return { type: "unknown", origin: "value", input, key: step, value };
}
