export { ATTACKS, type Attack } from "./attacks.ts";
export { afterMicrotasks } from "./macrotask.ts";
export { memoryAudit } from "./memory-audit.ts";
export { type MemoryBusEnd, memoryBus } from "./memory-bus.ts";
export { memoryObjectRecords } from "./memory-object-records.ts";
export { memoryScratch } from "./memory-scratch.ts";
export { memoryBlobs, memoryMetadata } from "./memory-storage.ts";
export {
  type Interference,
  LOW_WATER_MARK_BYTES,
  type MemoryConnectionOptions,
  type MemoryConnectionPair,
  memoryConnectionPair,
} from "./memory-transport.ts";
export { type SeededRandom, seededRandom } from "./seeded-random.ts";
export {
  type SessionPair,
  type SessionPairOptions,
  type SessionPairParts,
  sessionPair,
  sessionPairParts,
} from "./session-pair.ts";
export {
  TEST_EPOCH_MS,
  type TestAuthority,
  type TestProject,
  type TestProjectOptions,
  type TestUser,
  testProject,
} from "./test-project.ts";
export { type TrackedCrypto, trackCrypto } from "./track-crypto.ts";
export { type VirtualClock, type VirtualClockOptions, virtualClock } from "./virtual-clock.ts";
