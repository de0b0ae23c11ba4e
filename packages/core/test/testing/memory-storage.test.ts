import { webCrypto } from "@photinus/core/platform";
import { memoryAudit, memoryBlobs, memoryMetadata } from "@photinus/core/testing";
import { auditContract, blobContract, metadataContract } from "@photinus/core/testing/contracts";

metadataContract("memory", memoryMetadata);
blobContract("memory", () => memoryBlobs(webCrypto()));
auditContract("memory", () => memoryAudit(webCrypto()), webCrypto());
