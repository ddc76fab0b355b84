import type { INestApplication } from '@nestjs/common';

/** Tells OpenAPI what class-validator knows of each dto; filled in below. */
export function describeDtos(_app: INestApplication): void {
  // Nothing yet.
}
