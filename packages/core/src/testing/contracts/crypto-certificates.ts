import { expect, test } from "vitest";
import { type Bytes, fromHex, toBytes, utf8 } from "../../bytes/index.ts";
import type { CertificateSignatureScheme, CryptoProvider } from "../../platform/index.ts";

// Key and signatures over "round 3" were made by openssl 3.0: `openssl dgst -sha256 -sign key.pem` and
// `openssl dgst -sha384 -sign key.pem -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:48`.
const SPKI = fromHex(
  [
    "30820122300d06092a864886f70d01010105000382010f003082010a0282010100bf7a76209e97d4767d7c5ca02c4ccf",
    "67e66b8f53bbd9d7eb94af0209ad9776290783623fee4cbe25896070e105b89052a1e28fc06413ce0fa57623fb5295e6",
    "d4ebcd957bfb549f620e8de39303ee542d218b69e3ad49bfc3c774f4ff0c2bf912a5d4b5466c39f5948faf7f21fb3ecd",
    "a40f22f5f2b407e648eefc86c5a1578924a2c1c4a164cc732a4d4535692283d0d249f297474c465bc4ca688b867b7967",
    "2c0d8663156ff987271938b0b63e1bfa876743bc16b4a1ada394a1e9d8e146583854784730c19858a8012cc8f873ac50",
    "641e3f1cce801d0622a53c5f767c9d7282c4ba13b4df1b7c4daeb611d2ac90129edbc97c8b9743bf20047d6c320f7ce7",
    "830203010001",
  ].join(""),
);
const PKCS1 = fromHex(
  [
    "1820adb10bb6dc1d34812dc35bf045f5fac00bb31899744f058a1abbcdc8571a228ac252a596df4d5f38b8600c252413",
    "0a3b33945db4ac521705614bb673a4c1e298966614c3de7cc9ae6de25264a5c6522024178a0ffe14bb0ba4e6e370a2d2",
    "c24e8527445a06f2bcfc2a70b6138053755f7ded64c21dcdb2697586939ee9f59a9bc79b3faa6ddf520977e3731f1af2",
    "7ffd9a7238f1514efe1779b41dcbf459f85999d764a48106d040250dae2a1bf27a9a77f30a152ae808946a9524bce34d",
    "fcfc3111944913d84b601d1d026c282e919a9e49d19bfd4f171d45f19ad26bc663f71b4236bd8aa996d8406268a0a5b4",
    "ac574194a0ab87b93c64478888611d14",
  ].join(""),
);
const PSS = fromHex(
  [
    "5e404ee5fa08d8b2e3481d9bfde1865407451c1d8debeeee9f8d4768791be7d6fc04e981b82a453de3a19f51240e564f",
    "bb33f1e729996317da008387b0a0c838656913cbd5b3b80a583e539b27831fdccd0aa9ca220d7c18374926e21fe71a18",
    "9ec1ba482baf40c69e0cf661b493c5a61e922297b0ebcd09283aa0851ce4004d0f08b446675c11a66927d7e32f691043",
    "0aa5f04d0d531106d8b04063f69c5883d63b1019b18dbf38b32f87a818c214c412c44d8c204be2b2c953681ecbef6978",
    "98e0fc8cc4639a398226593bbae4237d9baaf2a472294ded9104209340a5abe711e82fdd3ea438432eb567a61164dda5",
    "03f19a8092a1d95fbf392887cf8e6514",
  ].join(""),
);

const CASES: readonly (readonly [string, CertificateSignatureScheme, Bytes])[] = [
  ["RSASSA-PKCS1-v1_5 with SHA-256", { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, PKCS1],
  ["RSA-PSS with SHA-384", { name: "RSA-PSS", hash: "SHA-384", saltLength: 48 }, PSS],
];

/** The part of the contract about signatures by algorithms that only other issuers use. */
export function certificateSignatureContract(create: () => CryptoProvider): void {
  for (const [name, scheme, signature] of CASES) {
    test(`verifies a certificate's signature by ${name}, and by nothing else`, async () => {
      const crypto = create();
      const verify = (bytes: Bytes, by: CertificateSignatureScheme, text = "round 3") =>
        crypto.verifyCertificateSignature(SPKI, by, bytes, utf8(text));
      const altered = toBytes(signature.slice());
      altered[7] = (altered[7] ?? 0) ^ 1;

      expect(await verify(signature, scheme)).toBe(true);
      expect(await verify(signature, scheme, "round 4")).toBe(false);
      expect(await verify(altered, scheme)).toBe(false);
      expect(await verify(signature.slice(1), scheme)).toBe(false);
      expect(await verify(signature, { ...scheme, hash: "SHA-512" })).toBe(false);
      for (const [, other] of CASES.filter(([label]) => label !== name)) {
        expect(await verify(signature, other)).toBe(false);
      }
    });
  }
}
