import { RouteConfig } from '@nestjs/platform-fastify';

interface OwnText {
  readonly checksOwnText?: boolean;
}

/**
 * For a handler that judges its body piece by piece, such as the rows of an import, where one row with a control
 * character must not cost the others. It then refuses such text itself.
 */
export const ChecksOwnText = (): MethodDecorator => RouteConfig({ checksOwnText: true } satisfies OwnText);

export const checksOwnText = (config: unknown): boolean => (config as OwnText | undefined)?.checksOwnText === true;
