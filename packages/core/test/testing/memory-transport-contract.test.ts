import { memoryConnectionPair } from "@photinus/core/testing";
import { transportContract } from "@photinus/core/testing/contracts";

transportContract("memory", () => memoryConnectionPair());
