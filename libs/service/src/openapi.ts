import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { isPublicRoute } from '@castiron/access';
import { describeDtos } from './openapi-dtos.js';

const VERBS = ['get', 'post', 'put', 'patch', 'delete'] as const;

const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/ProblemDetails' } } },
});

/** Makes the OpenAPI document and serves it: JSON at `/openapi.json`, a page at `/openapi`. */
export function serveOpenApi(app: INestApplication, name: string): OpenAPIObject {
  describeDtos(app);
  const config = new DocumentBuilder()
    .setTitle(name)
    .setVersion('1')
    .setDescription(
      'Failures are RFC 9457 problem details. Requests that change something may carry an Idempotency-Key.',
    )
    .addBearerAuth()
    .addSecurityRequirements('bearer')
    .build();
  const document = SwaggerModule.createDocument(app, config);
  document.components = {
    ...document.components,
    schemas: {
      ...document.components?.schemas,
      ProblemDetails: {
        type: 'object',
        required: ['type', 'title', 'status', 'code'],
        properties: {
          type: { type: 'string', format: 'uri' },
          title: { type: 'string' },
          status: { type: 'integer' },
          detail: { type: 'string' },
          code: { type: 'string', description: 'Stable; decide on this.' },
          field: { type: 'string' },
          promise: { type: 'string', description: "The statement's promise that refused, such as P1." },
          correlationId: { type: 'string' },
        },
      },
    },
  };
  for (const [path, item] of Object.entries(document.paths)) {
    for (const verb of VERBS) {
      const operation = item[verb];
      if (operation === undefined) continue;
      const open = isPublicRoute(verb.toUpperCase(), path.replace(/\{(\w+)\}/g, ':$1'));
      if (open) operation.security = [];
      operation.responses = {
        ...operation.responses,
        default: problem('Why it was refused.'),
        ...(!open && { 401: problem('No valid token.') }),
      };
    }
  }
  SwaggerModule.setup('openapi', app, document, { jsonDocumentUrl: 'openapi.json', raw: ['json'] });
  return document;
}
