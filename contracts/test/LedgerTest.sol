// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AuditLog} from "../AuditLog.sol";
import {Ledger} from "../Ledger.sol";
import {Reputation} from "../Reputation.sol";
import "../SystemAddresses.sol";
import {Governors} from "../access/Governors.sol";
import {LedgerAccess} from "../access/LedgerAccess.sol";
import {IMemoryRules} from "../interfaces/IMemoryRules.sol";
import {MemoryRules} from "../memory/MemoryRules.sol";
import {CoSignPolicy} from "../policies/CoSignPolicy.sol";
import {MinReputationPolicy} from "../policies/MinReputationPolicy.sol";
import {RateLimitPolicy} from "../policies/RateLimitPolicy.sol";
import {Vm} from "./Vm.sol";

/// @dev The contracts at their places, as a genesis makes them, and a builder of batches.
abstract contract LedgerTest {
    Vm internal constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

    LedgerAccess internal constant access = LedgerAccess(LEDGER_ACCESS);
    Governors internal constant governors = Governors(GOVERNORS);
    MemoryRules internal constant rules = MemoryRules(MEMORY_RULES);
    Reputation internal constant reputation = Reputation(REPUTATION);
    AuditLog internal constant auditLog = AuditLog(AUDIT_LOG);
    Ledger internal constant ledger = Ledger(LEDGER);

    uint32 internal constant DELAY = 1 hours;
    uint64 internal constant MAX_ENTRIES = 1000;
    uint64 internal constant MAX_BYTES = 1 << 30;
    bytes32 internal constant KEY = keccak256("key");
    bytes32 internal constant CONTENT = keccak256("content");

    /// Accounts: `author` as the EVM knows them, `account` as the native side does.
    address internal constant ALICE = address(0xa11ce);
    address internal constant ALICE_NATIVE = address(0xa11ce0);
    address internal constant BOB = address(0xb0b);
    address internal constant BOB_NATIVE = address(0xb0b0);
    address internal constant CAROL = address(0xca401);

    IMemoryRules.Transaction[] private _transactions;
    IMemoryRules.Step[] private _steps;
    IMemoryRules.Operation[] private _operations;
    address[] private _signers;
    bytes[] private _actions;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        vm.roll(1000);
        _place(LEDGER_ACCESS, abi.encodePacked(type(LedgerAccess).creationCode, abi.encode(DELAY)));
        address[] memory members = new address[](4);
        for (uint160 i = 0; i < 4; ++i) members[i] = address(0x6000 + i);
        _place(GOVERNORS, abi.encodePacked(type(Governors).creationCode, abi.encode(members)));
        _place(
            MEMORY_RULES,
            abi.encodePacked(type(MemoryRules).creationCode, abi.encode(MAX_ENTRIES, MAX_BYTES))
        );
        _place(REPUTATION, type(Reputation).creationCode);
        _place(AUDIT_LOG, type(AuditLog).creationCode);
        _place(LEDGER, type(Ledger).creationCode);
        _place(MIN_REPUTATION_POLICY, type(MinReputationPolicy).creationCode);
        _place(RATE_LIMIT_POLICY, type(RateLimitPolicy).creationCode);
        _place(CO_SIGN_POLICY, type(CoSignPolicy).creationCode);
    }

    /// @dev Runs a constructor at an address.
    function _place(address place, bytes memory creationCode) internal {
        vm.etch(place, creationCode);
        (bool done, bytes memory code) = place.call("");
        require(done, "constructor");
        vm.etch(place, code);
    }

    function _governor(uint160 place) internal pure returns (address) {
        return address(0x6000 + place);
    }

    /// @dev Passes a proposal and executes it.
    function _govern(address target, bytes memory data) internal {
        vm.prank(_governor(0));
        uint256 proposal = governors.propose(target, data);
        vm.prank(_governor(1));
        governors.approve(proposal);
        vm.prank(_governor(2));
        governors.approve(proposal);
        governors.schedule(proposal);
        vm.warp(block.timestamp + DELAY);
        governors.execute(proposal);
    }

    /// @dev A shared space of ALICE's.
    function _space(address policy) internal returns (bytes32) {
        return _space("salt", policy, 0);
    }

    function _space(bytes32 salt, address policy, uint8 mode) internal returns (bytes32) {
        vm.prank(ALICE);
        return rules.createSpace(salt, mode, policy, MAX_ENTRIES, MAX_BYTES);
    }

    function _grant(bytes32 space, address subject, uint256 rights, uint256 expiry) internal {
        vm.prank(ALICE);
        rules.grant(space, subject, rights, expiry);
    }

    // ------------------------------------------------------------------ batches

    function _tx() internal {
        _tx(1_000_000);
    }

    function _tx(uint256 policyGas) internal {
        _transactions.push(IMemoryRules.Transaction(policyGas, 0, 0, 0));
    }

    function _last() private view returns (IMemoryRules.Transaction storage) {
        return _transactions[_transactions.length - 1];
    }

    function _signer(address signer) internal {
        _signers.push(signer);
        ++_last().signers;
    }

    function _step(bytes32 space, address author, address account) internal {
        _steps.push(IMemoryRules.Step(space, author, account, 0, 0, 0, 0));
        ++_last().steps;
    }

    function _op(uint256 kind, uint256 size) internal {
        _operations.push(IMemoryRules.Operation(kind, size, KEY, CONTENT));
        IMemoryRules.Step storage step = _steps[_steps.length - 1];
        step.kinds |= 1 << kind;
        if (kind <= 3) ++step.entries;
        step.size += size;
        ++step.operations;
    }

    function _action(address author, address account, bytes memory data) internal {
        _step(0, author, account);
        _actions.push(data);
        ++_last().actions;
    }

    /// @dev A transaction of one put.
    function _put(bytes32 space, address author, address account) internal {
        _tx();
        _step(space, author, account);
        _op(1, 100);
    }

    /// @dev The call that decides what was built, which is then forgotten.
    function _batch() internal returns (bytes memory data) {
        IMemoryRules.Transaction[] memory transactions = _transactions;
        IMemoryRules.Step[] memory steps = _steps;
        IMemoryRules.Operation[] memory operations = _operations;
        data = abi.encodeCall(
            IMemoryRules.decide,
            (transactions, steps, operations, _signers, _actions)
        );
        delete _transactions;
        delete _steps;
        delete _operations;
        delete _signers;
        delete _actions;
    }

    function _decide() internal returns (uint256[] memory verdicts, bytes[] memory reasons) {
        bytes memory data = _batch();
        vm.prank(SYSTEM_CALLER);
        (bool done, bytes memory answer) = MEMORY_RULES.call(data);
        if (!done) {
            assembly {
                revert(add(answer, 0x20), mload(answer))
            }
        }
        return abi.decode(answer, (uint256[], bytes[]));
    }

    function _allow() internal {
        (uint256[] memory verdicts, bytes[] memory reasons) = _decide();
        for (uint256 i = 0; i < verdicts.length; ++i) _same(verdicts[i] >> 64, 0);
        _same(reasons.length, 0);
    }

    /// @dev That a batch of one transaction is refused at its first step and operation, for this reason.
    function _refuse(bytes memory reason) internal {
        _refuse(reason, 0, 0);
    }

    function _refuse(bytes memory reason, uint256 step, uint256 operation) internal {
        (uint256[] memory verdicts, bytes[] memory reasons) = _decide();
        _same(verdicts.length, 1);
        _same(reasons.length, 1);
        require(keccak256(reasons[0]) == keccak256(reason), "another reason");
        _same(uint32(verdicts[0] >> 64), step + 1);
        _same(verdicts[0] >> 96, operation);
    }

    function _same(uint256 got, uint256 wanted) internal pure {
        if (got != wanted) revert NotSame(got, wanted);
    }

    function _same(bytes32 got, bytes32 wanted) internal pure {
        _same(uint256(got), uint256(wanted));
    }

    function _same(address got, address wanted) internal pure {
        _same(uint160(got), uint160(wanted));
    }

    error NotSame(uint256 got, uint256 wanted);
}
