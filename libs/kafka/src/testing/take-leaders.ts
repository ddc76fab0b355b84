/** LEADER_NOT_AVAILABLE. */
const [ERROR, NOBODY] = [5, -1];

/**
 * Writes into an answer of metadata (Kafka's protocol, Metadata, version 6) what a broker says of partitions that have lost
 * all that could lead them.
 * @param names `topic/partition` each
 */
export function takeLeaders(answer: Buffer, names: ReadonlySet<string>): void {
  // Its length, its number, and the time for which who asks is to wait.
  let at = 12;
  const skip = (bytes: number): void => void (at += bytes);
  const int16 = (): number => answer.readInt16BE((at += 2) - 2);
  const int32 = (): number => answer.readInt32BE((at += 4) - 4);
  const text = (): string => {
    const length = Math.max(0, int16());
    skip(length);
    return answer.toString('utf8', at - length, at);
  };
  const each = (work: () => void): void => {
    for (let left = int32(); left > 0; left -= 1) work();
  };
  each(() => {
    int32();
    text();
    int32();
    text();
  });
  text();
  int32();
  each(() => {
    int16();
    const topic = text();
    skip(1);
    each(() => {
      const from = at;
      skip(2);
      if (names.has(`${topic}/${int32()}`)) {
        answer.writeInt16BE(ERROR, from);
        answer.writeInt32BE(NOBODY, at);
      }
      int32();
      // Replicas, those that are in sync, and those that are not there.
      for (let list = 0; list < 3; list += 1) each(int32);
    });
  });
}
