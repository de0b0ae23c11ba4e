import { type Bytes, utf8 } from "../bytes/index.ts";
import type { Subject } from "../pki/index.ts";
import { KIT_FILE } from "./kit-files.ts";

/** What starts a participant's process: a shell script and a unit of systemd. People use the command line with `--kit`. */
export function startFiles(subject: Subject, port: number): readonly (readonly [string, Bytes])[] {
  const { role } = subject;
  if (role !== "server" && role !== "site") return [];
  return [
    [KIT_FILE.start, utf8(startScript(role))],
    [KIT_FILE.unit, utf8(systemdUnit(subject, unitOptions(role, port)))],
  ];
}

function startScript(role: "server" | "site"): string {
  return `#!/bin/sh
# Starts this ${role}. The kit's secret is read from the file descriptor that --passphrase-fd names:
#   ./start.sh ${ownOptions(role)} --passphrase-fd 3 3< /run/credentials/kit-secret
set -eu
exec "\${PHOTINUS:-photinus}" ${role} start --kit "$(dirname "$0")" "$@"
`;
}

function ownOptions(role: "server" | "site"): string {
  return role === "server" ? "--state /var/lib/photinus" : "--data /srv/photinus-data";
}

/** A port below this takes a privilege that the unit does not have: behind it stands a proxy. */
const FIRST_COMMON_PORT = 1024;

function unitOptions(role: "server" | "site", port: number): string {
  if (role === "site") return "--data /srv/photinus-data";
  return `--host :: --port ${port < FIRST_COMMON_PORT ? 8080 : port}`;
}

/** Names hold neither blanks nor %, which systemd would expand. */
function systemdUnit({ project, name, role }: Subject, options: string): string {
  const kit = `/etc/photinus/${name}`;
  return `# Starts the ${role} ${name} of project ${project}.
#   install -d -o photinus -g photinus -m 700 ${kit} && cp -r . ${kit} && chown -R photinus: ${kit}
#   install -m 600 SECRET /etc/photinus/${name}.secret
#   systemctl enable --now ${kit}/${KIT_FILE.unit}
# Other folders: systemctl edit.
[Unit]
Description=Photinus ${role} ${name} of project ${project}
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
User=photinus
LoadCredential=kit-secret:/etc/photinus/${name}.secret
StateDirectory=photinus-${name}
StateDirectoryMode=0700
ExecStart=/usr/bin/env photinus ${role} start --kit ${kit} --state \${STATE_DIRECTORY} ${options} --passphrase-file \${CREDENTIALS_DIRECTORY}/kit-secret
Restart=on-failure
RestartSec=5
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
UMask=0077

[Install]
WantedBy=multi-user.target
`;
}
