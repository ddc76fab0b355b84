import { pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { alterUserScramCredentialsV0 } from '@platformatic/kafka';
import { onBroker, secondClient } from './second-client.js';
import type { KafkaSettings } from './types.js';

const SCRAM_SHA_512 = 2;
const ITERATIONS = 8192;
/** RESOURCE_NOT_FOUND: there is no such user to delete. */
const NOT_FOUND = 91;

type Deletion = Parameters<typeof alterUserScramCredentialsV0.createRequest>[0][number];
type Upsertion = Parameters<typeof alterUserScramCredentialsV0.createRequest>[1][number];

async function alter(settings: KafkaSettings, deletions: Deletion[], upsertions: Upsertion[]): Promise<void> {
  const { alterUserScramCredentialsV0 } = await secondClient();
  let failure: unknown = new Error('no broker is configured');
  // Any broker takes the request and forwards it to the controller.
  for (const broker of settings.brokers) {
    try {
      await onBroker(settings, broker, (connection) =>
        alterUserScramCredentialsV0.api.async(connection, deletions, upsertions),
      );
      return;
    } catch (error) {
      failure = error;
      if (isAnswer(error)) break;
    }
  }
  throw failure;
}

/** Whether a broker answered, so that asking another is of no use. */
function isAnswer(error: unknown): boolean {
  return error instanceof Error && 'response' in error;
}

function errorCodes(error: unknown): number[] {
  const response = (error as { response?: { results?: { errorCode: number }[] } }).response;
  return response?.results?.map((result) => result.errorCode) ?? [];
}

/** kafkajs has no call for SCRAM users; this one client call is why the second client is here. */
export async function putScramUser(settings: KafkaSettings, name: string, password: string): Promise<void> {
  const salt = randomBytes(24);
  const saltedPassword = await promisify(pbkdf2)(password, salt, ITERATIONS, 64, 'sha512');
  await alter(settings, [], [{ name, mechanism: SCRAM_SHA_512, iterations: ITERATIONS, salt, saltedPassword }]);
}

export async function deleteScramUser(settings: KafkaSettings, name: string): Promise<void> {
  try {
    await alter(settings, [{ name, mechanism: SCRAM_SHA_512 }], []);
  } catch (error) {
    const codes = errorCodes(error);
    if (codes.length === 0 || codes.some((code) => code !== NOT_FOUND && code !== 0)) throw error;
  }
}
