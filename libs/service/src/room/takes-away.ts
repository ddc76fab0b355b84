import { SetMetadata, type CustomDecorator } from '@nestjs/common';

/** Where a handler says that it adds nothing: whether a body does. */
export const ADDS_NOTHING_METADATA = 'castiron:adds-nothing';

export type AddsNothing = (body: unknown) => boolean;

/**
 * This handler only takes away (revokes, withdraws, cancels, ends, erases): it is carried out though the outbox be full.
 * Every changing route without this counts as adding.
 * @param where for a route that may do either: whether this body only takes away
 */
export const OnlyTakesAway = (where: AddsNothing = () => true): CustomDecorator =>
  SetMetadata(ADDS_NOTHING_METADATA, where);

/** This handler changes nothing, though its method says otherwise. */
export const OnlyReads = (): CustomDecorator => SetMetadata(ADDS_NOTHING_METADATA, (() => true) satisfies AddsNothing);
