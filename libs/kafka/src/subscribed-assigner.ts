import type { GroupMember, PartitionAssigner } from 'kafkajs';
import kafkajs from './kafkajs.js';

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol;

const topicsOf = ({ memberMetadata }: GroupMember): readonly string[] =>
  MemberMetadata.decode(memberMetadata)?.topics ?? [];

const NAME = 'castiron-subscribed';

/**
 * Gives every partition of each topic that any member reads to a member that reads it, in turn. kafkajs's own assigner
 * deals the leader's topics out to everybody: as long as replicas differ in what they read, one more recipient's topic
 * would have partitions that nobody reads.
 * @param isWanted where only some of the partitions are read at all; the members of a group must be of one mind
 */
export const subscribedAssigner =
  (isWanted: (partition: number) => boolean = () => true): PartitionAssigner =>
  ({ cluster }) => ({
    name: NAME,
    version: 0,
    protocol: ({ topics }) => ({
      name: NAME,
      metadata: MemberMetadata.encode({ version: 0, topics, userData: Buffer.alloc(0) }),
    }),
    async assign({ members }) {
      const readers = new Map<string, string[]>();
      for (const member of members)
        for (const topic of topicsOf(member)) readers.set(topic, [...(readers.get(topic) ?? []), member.memberId]);
      const topics = [...readers.keys()].sort();
      await cluster.addMultipleTargetTopics(topics);
      const given = new Map<string, Record<string, number[]>>(members.map(({ memberId }) => [memberId, {}]));
      let turn = 0;
      for (const topic of topics) {
        const inTurn = (readers.get(topic) ?? []).sort();
        for (const { partitionId } of cluster.findTopicPartitionMetadata(topic)) {
          if (!isWanted(partitionId)) continue;
          const own = given.get(inTurn[turn % inTurn.length] ?? '') ?? {};
          (own[topic] ??= []).push(partitionId);
          turn += 1;
        }
      }
      return [...given].map(([memberId, assignment]) => ({
        memberId,
        memberAssignment: MemberAssignment.encode({ version: 0, assignment, userData: Buffer.alloc(0) }),
      }));
    },
  });
