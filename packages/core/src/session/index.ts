export {
  type MessageRoute,
  on,
  type ReceivedMessage,
  type SendOptions,
  type Session,
  type SessionEnd,
  type SessionHandler,
} from "./session.ts";
