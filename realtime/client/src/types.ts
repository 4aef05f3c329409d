import type { EventNames, EventsMap } from "./emitter";

/** The arguments of an event, its ack among them. */
export type EventParams<Events extends EventsMap, Name extends EventNames<Events>> = Parameters<Events[Name]>;

type AllButLast<List extends any[]> = List extends [...infer Head, infer _] ? Head : any[];

type Last<List extends any[]> = List extends [...infer _, infer Tail] ? Tail : any;

/** The first argument that is not the error of a timeout. */
type Answer<Fn> = Fn extends (...args: infer Args) => any
  ? Args extends [Error, infer Value, ...any[]]
    ? Value
    : Args[0]
  : any;

/** The arguments of an event without its ack. */
export type ParamsWithoutAck<Events extends EventsMap, Name extends EventNames<Events>> = AllButLast<
  EventParams<Events, Name>
>;

/** What the ack of an event is called with. */
export type AckValue<Events extends EventsMap, Name extends EventNames<Events>> = Answer<
  Last<EventParams<Events, Name>>
>;

type WithError<Param> = Param extends (...args: infer Args) => infer Result
  ? (error: Error, ...args: Args) => Result
  : Param;

type DecorateAck<Params extends any[]> = Params extends [...infer Head, infer Ack]
  ? [...Head, WithError<Ack>]
  : Params;

/** The same events, with acks that are told of a timeout first. */
export type WithAckErrors<Events extends EventsMap> = {
  [Name in keyof Events]: Events[Name] extends (...args: infer Params) => infer Result
    ? (...args: DecorateAck<Params>) => Result
    : Events[Name];
};
