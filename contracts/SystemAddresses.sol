// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev The caller that is the ledger itself. No key belongs to it; as a sender it is refused everywhere.
address constant SYSTEM_CALLER = 0x0000000000000000000000000000000000004D00;

/// @dev Where the genesis of every chain puts {LedgerAccess}.
address constant LEDGER_ACCESS = 0x0000000000000000000000000000000000004D01;

/// @dev Where the genesis of every chain puts {Governors}.
address constant GOVERNORS = 0x0000000000000000000000000000000000004d02;

/// @dev Where the genesis of every chain puts {MemoryRules}.
address constant MEMORY_RULES = 0x0000000000000000000000000000000000004D03;

/// @dev Where the genesis of every chain puts {Reputation}.
address constant REPUTATION = 0x0000000000000000000000000000000000004d04;

/// @dev Where the genesis of every chain puts {AuditLog}.
address constant AUDIT_LOG = 0x0000000000000000000000000000000000004D05;

/// @dev Where the genesis of every chain puts {Ledger}.
address constant LEDGER = 0x0000000000000000000000000000000000004D06;

/// @dev Where the genesis of every chain puts {MinReputationPolicy}.
address constant MIN_REPUTATION_POLICY = 0x0000000000000000000000000000000000004d11;

/// @dev Where the genesis of every chain puts {RateLimitPolicy}.
address constant RATE_LIMIT_POLICY = 0x0000000000000000000000000000000000004D12;

/// @dev Where the genesis of every chain puts {CoSignPolicy}.
address constant CO_SIGN_POLICY = 0x0000000000000000000000000000000000004D13;
