/** What a first definition of a project says. */
export interface ProjectAnswers {
  /** Name of the project. */
  readonly name: string;
  /** Organization that runs the server. */
  readonly org: string;
  /** Host name or address of the server. */
  readonly host: string;
  /** Port of the server. */
  readonly port: number;
  /** E-mail of the project's administrator. */
  readonly admin: string;
  /** Number of sites, named `site-1`, `site-2`, ... */
  readonly sites: number;
}

/** What is written where nobody says another thing. */
export const DEFAULT_ANSWERS: ProjectAnswers = {
  name: "my-project",
  org: "central",
  host: "localhost",
  port: 8443,
  admin: "admin@example.org",
  sites: 2,
};

/** `project.yml` with a word about each field. */
export function projectTemplate({ name, org, host, port, admin, sites }: ProjectAnswers): string {
  const text = (value: string): string => JSON.stringify(value);
  const lines = Array.from(
    { length: sites },
    (_, index) => `  - { name: site-${index + 1}, org: ${text(org)} }`,
  );
  return `# A project of Photinus. Make its startup kits with
#   photinus provision project.yml -o fl
# and run the same again after each change: only who is new or changed gets a kit, who is gone is revoked.
# All fields for an editor: photinus project schema
name: ${text(name)}

# key: P-256            # or RSA-2048, RSA-3072; a participant may say its own
# rootKey: P-384        # or RSA-3072; before the root is made
# validity: { server: 360, site: 360, user: 360 }   # days

server:
  name: hub
  org: ${text(org)}
  hosts: [${text(host)}]   # every name and address under which it is reached
  port: ${port}
  # tlsCa: proxy-ca.pem   # CA of a proxy that ends TLS before the server
  # jurisdiction: EU      # where its data lies

# security: mtls (certificates on both sides, the default), tls, or clear (only behind a proxy that ends TLS).
# addresses: where this site reaches the server, such as [wss://gate.example.org/ws]; default: the server's hosts.
# Pages join by an invite and are not listed.
sites:${lines.length === 0 ? " []" : `\n${lines.join("\n")}`}

# role: project_admin, org_admin, lead or member
users:
  - { name: ${text(admin)}, org: ${text(org)}, role: project_admin }

# Tenants of the project, which see nothing of each other; without them there is one for everybody.
# studies:
#   - { name: first, sites: [site-1], members: [{ name: ${admin} }] }

# Programs that watch jobs for a system of others.
# adapters:
#   - { name: tracker, org: ${text(org)} }
`;
}
