/** Who can log in to the broker, by name. */
export interface KafkaUsers {
  readonly [username: string]: { readonly username: string; readonly password: string };
}
