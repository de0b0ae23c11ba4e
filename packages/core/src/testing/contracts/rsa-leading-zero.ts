import { type Bytes, fromHex } from "../../bytes/index.ts";

/**
 * A signature of RSA-PSS with SHA-256 and a salt of 32 bytes over "round 3" that begins with a zero byte, as one in 256
 * does; made by OpenSSL 3. RFC 8017, 8.1.2, step 1: without that byte it is no signature, which OpenSSL does not check.
 */
export const RSA_WITH_LEADING_ZERO: { readonly spki: Bytes; readonly signature: Bytes } = {
  spki: fromHex(
    [
      "30820122300d06092a864886f70d01010105000382010f003082010a0282010100a57300e9da5fa61c7325a3b1c013c2",
      "12c969b2fa848feb67a9ecde4a96093ee717a50c0e2f74cd42f35315b01765a830ca4aee55d7af9d5f09c7a6c26c4ea6",
      "03e9b040ace5af4cf32fa3e16178935561ea2418b5be528111a1a9032adc539c6f4fba7651a1c53750acad9e3613aa73",
      "612a85546ea1d32b61994672b3bee53c7f9b829107dfcf6ae056a4215453a547d2b7d5a3c81340fa1112d43b8a6c9048",
      "994eddfafa07a4f6107a00881714d8c2b6673a80cb3d20f79d2b80b6b3c21d3953ffb6504d753d345c3cd9b96f5ac81e",
      "35b2317523f149e0dbf72f7e9171bcb3b10bb785cc82759dc511b8d818540350c5d1155369f719f44f08e1f518c3aa9b",
      "390203010001",
    ].join(""),
  ),
  signature: fromHex(
    [
      "00baf60b0f9cd3ff3024f1128bb2e4396cc2a96ddbcfe8754448ff59cf5efd9941954ec5297f6f4596948d3525f3b3cb",
      "8be1370c52281e4b9cacf18908421359a5b3486f0fa5cb90bf9b76d88c5304cc611709caf829f236ff57bb3b9fac69ef",
      "9dba413bb9cbceed7662fbb7d21f6cc6e7e863c01a178c6a8afd4287c59537b61037443e09daf356869b9f73332df254",
      "5bdbcc5c5db6f3024806da84a3b34081fc257aca394730c052f11bca79219b620b32d1a309d326920fbaeb6a3f7f1c45",
      "cf5946137440b2f13183ca272d05297eb656b5dfcd9531fd0412139be1921e59a9d6dea3eca161c947887520529ad05e",
      "3b248c5e50c3995b349d52dfb9afb0ec",
    ].join(""),
  ),
};
