import { transportContract } from "@photinus/core/testing/contracts";
import { connectionPair } from "./loopback.ts";

transportContract("WebSocket of ws on loopback", () => connectionPair());
