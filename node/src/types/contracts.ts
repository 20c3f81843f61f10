/**
 * The ledger's contracts: their addresses and ABIs, by name.
 *
 * Upholds: the values are those that the compiler and the genesis know; the ABIs keep their literal
 * types, so that clients can check calls against them.
 * Absent here: bytecode (gen/contracts), and what the contracts are for (docs/contracts.md).
 *
 * @module
 */
import * as auditLog from '../gen/contracts/audit-log.ts';
import * as coSignPolicy from '../gen/contracts/co-sign-policy.ts';
import * as governors from '../gen/contracts/governors.ts';
import * as ledger from '../gen/contracts/ledger.ts';
import * as ledgerAccess from '../gen/contracts/ledger-access.ts';
import * as memoryRules from '../gen/contracts/memory-rules.ts';
import * as minReputationPolicy from '../gen/contracts/min-reputation-policy.ts';
import * as rateLimitPolicy from '../gen/contracts/rate-limit-policy.ts';
import * as reputation from '../gen/contracts/reputation.ts';

/** Where a contract is, and how it is called. */
export type LedgerContract<
  C extends { readonly address: string; readonly abi: readonly object[] },
> = Readonly<Pick<C, 'address' | 'abi'>>;

/** The contracts that every chain has from its genesis. */
export const LEDGER_CONTRACTS: {
  readonly LedgerAccess: LedgerContract<typeof ledgerAccess>;
  readonly Governors: LedgerContract<typeof governors>;
  readonly MemoryRules: LedgerContract<typeof memoryRules>;
  readonly Reputation: LedgerContract<typeof reputation>;
  readonly AuditLog: LedgerContract<typeof auditLog>;
  readonly Ledger: LedgerContract<typeof ledger>;
  readonly MinReputationPolicy: LedgerContract<typeof minReputationPolicy>;
  readonly RateLimitPolicy: LedgerContract<typeof rateLimitPolicy>;
  readonly CoSignPolicy: LedgerContract<typeof coSignPolicy>;
} = {
  LedgerAccess: { address: ledgerAccess.address, abi: ledgerAccess.abi },
  Governors: { address: governors.address, abi: governors.abi },
  MemoryRules: { address: memoryRules.address, abi: memoryRules.abi },
  Reputation: { address: reputation.address, abi: reputation.abi },
  AuditLog: { address: auditLog.address, abi: auditLog.abi },
  Ledger: { address: ledger.address, abi: ledger.abi },
  MinReputationPolicy: { address: minReputationPolicy.address, abi: minReputationPolicy.abi },
  RateLimitPolicy: { address: rateLimitPolicy.address, abi: rateLimitPolicy.abi },
  CoSignPolicy: { address: coSignPolicy.address, abi: coSignPolicy.abi },
};
