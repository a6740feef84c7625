export { observe } from './channels.ts';
export type {
  ErrorMessage,
  LoadMessage,
  ObservedEngine,
  ObservedSettings,
  RequestMessage,
  TelemetryMessages,
  TickMessage,
} from './messages.ts';
