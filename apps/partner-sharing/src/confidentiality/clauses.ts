/** The clauses of the policy, by the name of their file under `clauses/`. */
export type ClauseName = string;
