import { decodePem } from "@photinus/core/pki";
import type { Clock, CryptoProvider } from "@photinus/core/platform";
import {
  createProject,
  type ExistingProject,
  openRootKey,
  type ProvisionedProject,
} from "@photinus/core/provision";

/** A project that was provisioned, and what provisioning it again starts from. */
export async function anExistingProject(
  definition: unknown,
  modules: { readonly crypto: CryptoProvider; readonly clock: Pick<Clock, "now"> },
): Promise<{ readonly project: ProvisionedProject; readonly existing: ExistingProject }> {
  const project = await createProject(definition, modules, { rootAlgorithm: 1 });
  const { certificatePem, keyPem, secret = "", revocationListPem } = project.root;
  const [latest] = decodePem("X509 CRL", revocationListPem);
  if (latest === undefined || keyPem === undefined) throw new Error("a project has a list and a key");
  const root = await openRootKey({ certificatePem, keyPem, secret }, modules);
  return { project, existing: { root, latest, state: project.state } };
}
