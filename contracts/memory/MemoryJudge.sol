// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {REPUTATION} from "../SystemAddresses.sol";
import {IMemoryPolicy, MemoryOperation} from "../interfaces/IMemoryPolicy.sol";
import {IMemoryRules, MemoryModes, MemoryRights} from "../interfaces/IMemoryRules.sol";
import {IReputation} from "../interfaces/IReputation.sol";
import {MemorySpaces} from "./MemorySpaces.sol";

/**
 * @dev Judges one step: all operations of one author on one space in a transaction.
 *
 * Upholds: nothing is written before the whole step is allowed; a policy, whatever it does, refuses the step
 * at the most, gets the gas that it is due, and costs no more than that.
 *
 * Lean on purpose: a step without a policy reads two slots, a third where the author is not the owner, and
 * writes one.
 */
abstract contract MemoryJudge is MemorySpaces {
    /**
     * @dev What is left of the lists of a batch, as places in calldata; and what the present transaction has.
     */
    struct Cursor {
        uint256 transaction;
        uint256 transactionsEnd;
        uint256 step;
        uint256 stepsEnd;
        uint256 operation;
        uint256 operationsEnd;
        uint256 signer;
        uint256 signersEnd;
        uint256 action;
        uint256 signers;
        uint256 policyGas;
    }

    /// @dev The parts of a batch that are one transaction's; lists as the bytes of their items.
    struct Frame {
        uint256 policyGas;
        bytes steps;
        bytes operations;
        bytes signers;
        bytes[] actions;
    }

    /// @dev Who acts, and where.
    struct Subject {
        bytes32 space;
        address author;
        address account;
    }

    /// @dev An operation as a policy is told of it.
    struct Facts {
        uint256 kind;
        uint256 size;
        bytes32 keyHash;
        bytes32 contentHash;
    }

    /// @dev What an allowed step writes.
    struct Outcome {
        uint256 slot;
        /// The first slot of a personal space that comes to be, else 0.
        uint256 opened;
        uint256 usage;
        bool hasPolicy;
    }

    /// @dev A policy that is asked about the operations of a step.
    struct Inquiry {
        address policy;
        uint256 gasLeft;
        uint256 spent;
        Window window;
        bytes question;
    }

    /// @inheritdoc IMemoryRules
    uint256 public constant POLICY_GAS = 100_000;

    /// @dev Where the parts of a verdict lie.
    uint256 internal constant STEP_SHIFT = 64;
    uint256 internal constant OPERATION_SHIFT = 96;

    /// @dev Bytes of an item of each list.
    uint256 internal constant TRANSACTION_BYTES = 4 * 32;
    uint256 internal constant STEP_BYTES = 7 * 32;
    uint256 internal constant OPERATION_BYTES = 4 * 32;
    uint256 internal constant SIGNER_BYTES = 32;

    /// @dev Most bytes of a policy's revert that are passed on.
    uint256 private constant REASON_BYTES = 1024;
    /// @dev More gas than is used between a check of it and the call of a policy.
    uint256 private constant POLICY_MARGIN = 10_000;

    /// @dev Bits of kinds, by the right that they need.
    uint256 private constant WRITE_KINDS = 0x06;
    uint256 private constant CURATE_KINDS = 0x38;
    uint256 private constant ADMIN_KINDS = 0x40;
    uint256 private constant READ_KINDS = 0x80;
    uint256 private constant ALL_KINDS = 0xfe;

    /// @dev Where a {MemoryOperation} starts in a question: after length, selector and offset.
    uint256 private constant FACTS_AT = 0x20 + 4 + 0x20;

    /// @dev A cursor at the front of the lists of a batch.
    function _cursor(
        Transaction[] calldata transactions,
        Step[] calldata steps,
        Operation[] calldata operations,
        address[] calldata signers
    ) internal pure returns (Cursor memory cursor) {
        assembly ("memory-safe") {
            function put(to, from, size) {
                mstore(to, from)
                mstore(add(to, 0x20), add(from, size))
            }
            put(cursor, transactions.offset, mul(transactions.length, TRANSACTION_BYTES))
            put(add(cursor, 0x40), steps.offset, mul(steps.length, STEP_BYTES))
            put(add(cursor, 0x80), operations.offset, mul(operations.length, OPERATION_BYTES))
            put(add(cursor, 0xc0), signers.offset, mul(signers.length, SIGNER_BYTES))
        }
    }

    /// @dev A cursor at the front of the lists of a frame.
    function _cursorOf(Frame calldata frame) internal pure returns (Cursor memory cursor) {
        bytes calldata steps = frame.steps;
        bytes calldata operations = frame.operations;
        bytes calldata signers = frame.signers;
        assembly ("memory-safe") {
            function put(to, from, size) {
                mstore(to, from)
                mstore(add(to, 0x20), add(from, size))
            }
            put(add(cursor, 0x40), steps.offset, steps.length)
            put(add(cursor, 0x80), operations.offset, operations.length)
            put(add(cursor, 0xc0), signers.offset, signers.length)
        }
        cursor.signers = signers.length / SIGNER_BYTES;
    }

    /// @dev Takes steps off the front.
    function _takeSteps(
        Cursor memory cursor,
        uint256 count
    ) internal pure returns (bytes memory steps) {
        steps = _copy(cursor.step, count * STEP_BYTES, cursor.stepsEnd);
        cursor.step += steps.length;
    }

    /// @dev Takes the operations of the next `count` steps off the front.
    function _takeOperations(
        Cursor memory cursor,
        uint256 count
    ) internal pure returns (bytes memory operations) {
        uint256 total;
        for (uint256 i = 0; i < count; ++i) {
            total += _stepAt(cursor.step + i * STEP_BYTES).operations;
        }
        operations = _copy(cursor.operation, total * OPERATION_BYTES, cursor.operationsEnd);
        cursor.operation += operations.length;
    }

    /// @dev The signers of the present transaction.
    function _signers(Cursor memory cursor) internal pure returns (bytes memory) {
        return _copy(cursor.signer, cursor.signers * SIGNER_BYTES, cursor.signersEnd);
    }

    /// @dev Bytes of calldata, which must end before `limit`.
    function _copy(
        uint256 from,
        uint256 size,
        uint256 limit
    ) private pure returns (bytes memory data) {
        if (size > limit - from) revert MemoryRulesMalformedBatch();
        data = new bytes(size);
        assembly ("memory-safe") {
            calldatacopy(add(data, 0x20), from, size)
        }
    }

    /// @dev The transaction at a place in calldata.
    function _transactionAt(uint256 place) internal pure returns (Transaction calldata transaction) {
        assembly ("memory-safe") {
            transaction := place
        }
    }

    /// @dev The step at a place in calldata.
    function _stepAt(uint256 place) internal pure returns (Step calldata step) {
        assembly ("memory-safe") {
            step := place
        }
    }

    /// @dev That nothing is left of steps and operations, and nothing was taken that was not there.
    function _checkEnd(Cursor memory cursor) internal pure {
        if (cursor.step != cursor.stepsEnd || cursor.operation != cursor.operationsEnd) {
            revert MemoryRulesMalformedBatch();
        }
    }

    /**
     * @dev Allows transactions from the front, up to one that needs more than this: one of several steps, or
     * with an action, a policy, a new personal space, a grant to the other address of an account; and up to
     * one that is refused. {_judge} would do the same with them, at five times the cost.
     */
    function _passPlain(Cursor memory cursor) internal {
        uint256 stops = uint256(FROZEN | FROZEN_BY_GOVERNORS | HAS_POLICY) << FLAGS_SHIFT;
        assembly ("memory-safe") {
            function slotOf(key, mapping_) -> slot {
                mstore(0x00, key)
                mstore(0x20, mapping_)
                slot := keccak256(0x00, 0x40)
            }
            // Whether the grant of `author` has all rights that `kinds` need.
            function isGranted(space, author, kinds, head) -> granted {
                let needed := mul(2, iszero(iszero(and(kinds, WRITE_KINDS))))
                needed := or(needed, mul(4, iszero(iszero(and(kinds, CURATE_KINDS)))))
                needed := or(needed, mul(8, iszero(iszero(and(kinds, ADMIN_KINDS)))))
                needed := or(needed, iszero(iszero(and(kinds, READ_KINDS))))
                let record := sload(slotOf(author, slotOf(space, _grants.slot)))
                let expiry := and(shr(160, record), 0xffffffffff)
                // A step of no kind, or of one that does not exist, is not for here.
                granted := mul(needed, iszero(and(kinds, not(ALL_KINDS))))
                granted := and(gt(granted, 0), eq(and(shr(232, record), needed), needed))
                granted := and(granted, or(iszero(expiry), gt(expiry, timestamp())))
                granted := and(granted, iszero(and(xor(record, head), shl(EPOCH_SHIFT, 0xffffffff))))
            }
            let at := mload(cursor)
            let end := mload(add(cursor, 0x20))
            let step := mload(add(cursor, 0x40))
            let operation := mload(add(cursor, 0x80))
            let signer := mload(add(cursor, 0xc0))
            for {} lt(at, end) { at := add(at, TRANSACTION_BYTES) } {
                if or(xor(calldataload(add(at, 0x20)), 1), calldataload(add(at, 0x60))) {
                    break
                }
                let slot := slotOf(calldataload(step), _spaces.slot)
                let head := sload(slot)
                if or(iszero(head), and(head, stops)) {
                    break
                }
                {
                    let owner := and(head, sub(shl(160, 1), 1))
                    let author := calldataload(add(step, 0x20))
                    if iszero(or(eq(owner, calldataload(add(step, 0x40))), eq(owner, author))) {
                        let kinds := calldataload(add(step, 0x60))
                        if iszero(isGranted(calldataload(step), author, kinds, head)) {
                            break
                        }
                    }
                }
                slot := add(slot, 1)
                let usage := sload(slot)
                let entries := calldataload(add(step, 0x80))
                let size := calldataload(add(step, 0xa0))
                {
                    let mask := sub(shl(64, 1), 1)
                    let over := gt(add(shr(192, usage), size), and(shr(64, usage), mask))
                    over := or(over, gt(add(and(shr(128, usage), mask), entries), and(usage, mask)))
                    if over {
                        break
                    }
                }
                sstore(slot, add(usage, add(shl(128, entries), shl(192, size))))
                operation := add(operation, mul(calldataload(add(step, 0xc0)), OPERATION_BYTES))
                signer := add(signer, mul(calldataload(add(at, 0x40)), SIGNER_BYTES))
                step := add(step, STEP_BYTES)
            }
            mstore(cursor, at)
            mstore(add(cursor, 0x40), step)
            mstore(add(cursor, 0x80), operation)
            mstore(add(cursor, 0xc0), signer)
        }
    }

    /**
     * @dev Judges the next step of a cursor, and writes what follows if it is allowed.
     *
     * @return verdict The gas of policies, and the place of a refused operation, as in {decide}.
     * @return reason Data of an error, or nothing if the step is allowed.
     */
    function _judge(Cursor memory cursor) internal returns (uint256 verdict, bytes memory reason) {
        unchecked {
            Step calldata step = _stepAt(cursor.step);
            cursor.step += STEP_BYTES;
            uint256 operation = cursor.operation;
            cursor.operation = operation + step.operations * OPERATION_BYTES;
            if (cursor.step > cursor.stepsEnd || cursor.operation > cursor.operationsEnd) {
                revert MemoryRulesMalformedBatch();
            }
            Outcome memory outcome;
            reason = _admit(
                outcome,
                step.space,
                step.author,
                step.account,
                step.kinds,
                step.entries,
                step.size
            );
            if (reason.length != 0) return (0, reason);
            if (outcome.hasPolicy) {
                (verdict, reason) = _consult(cursor, step, operation);
                if (reason.length != 0) return (verdict, reason);
            }
            _settle(outcome);
        }
    }

    /// @dev Judges one operation of the EVM's side.
    function _judgeOne(
        Subject memory subject,
        Facts memory facts
    ) internal returns (bytes memory reason) {
        Outcome memory outcome;
        reason = _admit(
            outcome,
            subject.space,
            subject.author,
            subject.account,
            1 << facts.kind,
            1,
            facts.size
        );
        if (reason.length != 0) return reason;
        if (outcome.hasPolicy) {
            Inquiry memory inquiry = _inquire(subject, POLICY_GAS, new address[](0));
            reason = _ask(inquiry, subject.space, facts);
            if (reason.length != 0) return reason;
            _windows[subject.space][subject.author] = inquiry.window;
        }
        _settle(outcome);
    }

    /// @dev Checks space, freeze, grant and quota of a step.
    function _admit(
        Outcome memory outcome,
        bytes32 space,
        address author,
        address account,
        uint256 kinds,
        uint256 entries,
        uint256 size
    ) private view returns (bytes memory reason) {
        unchecked {
            SpaceRecord storage record = _spaces[space];
            uint256 head;
            uint256 usage;
            assembly ("memory-safe") {
                mstore(outcome, record.slot)
                head := sload(record.slot)
                usage := sload(add(record.slot, 1))
            }
            if (head == 0) {
                if (space != personalSpaceOf(account)) {
                    return abi.encodeWithSelector(MemoryRulesUnknownSpace.selector, space);
                }
                (head, usage) = _personal(account);
                outcome.opened = head;
            }
            uint256 flags = head >> FLAGS_SHIFT;
            if (flags & (FROZEN | FROZEN_BY_GOVERNORS) != 0) {
                bool byGovernors = flags & FROZEN_BY_GOVERNORS != 0;
                return abi.encodeWithSelector(MemoryRulesFrozen.selector, space, byGovernors);
            }
            address owner = address(uint160(head));
            if (owner != account && owner != author) {
                reason = _checkGrants(space, author, account, kinds, head);
                if (reason.length != 0) return reason;
            }
            uint256 wanted = uint64(usage >> 128) + entries;
            if (wanted > uint64(usage)) {
                return _over(MemoryRulesTooManyEntries.selector, space, uint64(usage), wanted);
            }
            wanted = (usage >> 192) + size;
            if (wanted > uint64(usage >> 64)) {
                return _over(MemoryRulesTooManyBytes.selector, space, uint64(usage >> 64), wanted);
            }
            outcome.usage = usage + (entries << 128) + (size << 192);
            outcome.hasPolicy = flags & HAS_POLICY != 0;
        }
    }

    function _over(
        bytes4 selector,
        bytes32 space,
        uint256 limit,
        uint256 wanted
    ) private pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, space, limit, wanted);
    }

    /// @dev Writes what an allowed step changes.
    function _settle(Outcome memory outcome) private {
        assembly ("memory-safe") {
            let slot := mload(outcome)
            let opened := mload(add(outcome, 0x20))
            if opened {
                sstore(slot, opened)
            }
            sstore(add(slot, 1), mload(add(outcome, 0x40)))
        }
    }

    /// @dev Checks what the grants of both addresses allow together.
    function _checkGrants(
        bytes32 space,
        address author,
        address account,
        uint256 kinds,
        uint256 head
    ) private view returns (bytes memory reason) {
        if (kinds == 0 || kinds & ~ALL_KINDS != 0) revert MemoryRulesMalformedBatch();
        uint256 needed = kinds & WRITE_KINDS != 0 ? MemoryRights.WRITE : 0;
        if (kinds & CURATE_KINDS != 0) needed |= MemoryRights.CURATE;
        if (kinds & ADMIN_KINDS != 0) needed |= MemoryRights.ADMIN;
        if (kinds & READ_KINDS != 0) needed |= MemoryRights.READ;
        uint256 held = uint8(head >> MODE_SHIFT) == MemoryModes.PUBLIC ? MemoryRights.READ : 0;
        (uint256 granted, uint256 lapsed, uint256 expiry) = _lookUp(space, author, head);
        held |= granted;
        if (held & needed == needed) return reason;
        if (account != author) {
            (uint256 more, uint256 moreLapsed, uint256 moreExpiry) = _lookUp(space, account, head);
            held |= more;
            if (held & needed == needed) return reason;
            lapsed |= moreLapsed;
            if (moreExpiry > expiry) expiry = moreExpiry;
        }
        if ((held | lapsed) & needed == needed) {
            return abi.encodeWithSelector(MemoryRulesGrantExpired.selector, space, author, expiry);
        }
        return abi.encodeWithSelector(MemoryRulesNotGranted.selector, space, author, needed, held);
    }

    /// @dev A grant: the rights that it gives now; or those that it gave, and until when.
    function _lookUp(
        bytes32 space,
        address subject,
        uint256 head
    ) private view returns (uint256 granted, uint256 lapsed, uint256 expiry) {
        GrantRecord memory record = _grants[space][subject];
        if (record.epoch != uint32(head >> EPOCH_SHIFT)) return (0, 0, 0);
        if (record.expiry == 0 || record.expiry > block.timestamp) return (record.rights, 0, 0);
        return (0, record.rights, record.expiry);
    }

    /// @dev Asks the policy of a space about a step's operations, and counts them.
    function _consult(
        Cursor memory cursor,
        Step calldata step,
        uint256 operation
    ) private returns (uint256 verdict, bytes memory reason) {
        if (operation == cursor.operation) revert MemoryRulesMalformedBatch();
        Subject memory subject = Subject(step.space, step.author, step.account);
        Inquiry memory inquiry = _inquire(subject, cursor.policyGas, _signerList(cursor));
        for (uint256 place; operation < cursor.operation; ++place) {
            reason = _ask(inquiry, subject.space, _factsAt(operation));
            if (reason.length != 0) return (inquiry.spent | (place << OPERATION_SHIFT), reason);
            operation += OPERATION_BYTES;
        }
        _windows[subject.space][subject.author] = inquiry.window;
        verdict = inquiry.spent;
    }

    function _factsAt(uint256 place) private pure returns (Facts memory facts) {
        assembly ("memory-safe") {
            calldatacopy(facts, place, OPERATION_BYTES)
        }
    }

    /// @dev The signers of the present transaction, as a list.
    function _signerList(Cursor memory cursor) private pure returns (address[] memory list) {
        bytes memory signers = _signers(cursor);
        uint256 count = cursor.signers;
        assembly ("memory-safe") {
            mstore(signers, count)
            list := signers
        }
    }

    /// @dev Prepares to ask a space's policy: all that is the same for every operation of the author.
    function _inquire(
        Subject memory subject,
        uint256 policyGas,
        address[] memory signers
    ) private view returns (Inquiry memory inquiry) {
        inquiry.policy = _spaces[subject.space].policy;
        inquiry.gasLeft = policyGas;
        inquiry.window = _window(subject.space, subject.author);
        MemoryOperation memory operation;
        operation.space = subject.space;
        operation.author = subject.author;
        operation.account = subject.account;
        operation.height = block.number;
        operation.time = block.timestamp;
        operation.reputation = IReputation(REPUTATION).scoreOfEither(
            subject.author,
            subject.account
        );
        operation.signers = signers;
        inquiry.question = abi.encodeCall(IMemoryPolicy.check, (operation));
    }

    /// @dev Asks a policy about one operation, and counts the operation if it is allowed.
    function _ask(
        Inquiry memory inquiry,
        bytes32 space,
        Facts memory facts
    ) private view returns (bytes memory reason) {
        Window memory window = inquiry.window;
        bytes memory question = inquiry.question;
        assembly ("memory-safe") {
            let fields := add(question, FACTS_AT)
            mcopy(add(fields, 0x60), facts, 0x80)
            mstore(add(fields, 0x140), mload(add(window, 0x20)))
            mstore(add(fields, 0x160), mload(add(window, 0x60)))
            mstore(add(fields, 0x180), mload(add(window, 0x40)))
            mstore(add(fields, 0x1a0), mload(add(window, 0x80)))
        }
        uint256 given = inquiry.gasLeft < POLICY_GAS ? inquiry.gasLeft : POLICY_GAS;
        uint256 spent;
        (reason, spent) = _call(space, inquiry.policy, question, given);
        inquiry.spent += spent;
        inquiry.gasLeft -= spent;
        if (reason.length != 0) return reason;
        // A window holds no more than a quota, and cannot overflow before it.
        unchecked {
            ++window.hourWrites;
            ++window.dayWrites;
            window.hourBytes += uint64(facts.size);
            window.dayBytes += uint64(facts.size);
        }
    }

    /**
     * @dev Calls a policy with a set amount of gas.
     *
     * @return reason Data of an error, or nothing if the policy allows.
     * @return spent Gas that the call took, no more than was given.
     */
    function _call(
        bytes32 space,
        address policy,
        bytes memory question,
        uint256 given
    ) private view returns (bytes memory reason, uint256 spent) {
        // A call passes on 63/64 of what is left at the most; a policy must not get less than it is due.
        if ((gasleft() * 63) / 64 < given + POLICY_MARGIN) revert MemoryRulesGasTooLow();
        bool done;
        bool allowed;
        uint256 size;
        bytes32 yes = bytes32(IMemoryPolicy.check.selector);
        assembly ("memory-safe") {
            let before := gas()
            done := staticcall(given, policy, add(question, 0x20), mload(question), 0x00, 0x20)
            spent := sub(before, gas())
            size := returndatasize()
            allowed := and(done, and(gt(size, 0x1f), eq(mload(0x00), yes)))
        }
        bool exhausted = spent >= given;
        if (exhausted) spent = given;
        if (allowed) return (reason, spent);
        if (done) {
            reason = abi.encodeWithSelector(MemoryRulesPolicyInvalid.selector, space, policy);
        } else if (size == 0 && exhausted) {
            reason = abi.encodeWithSelector(
                MemoryRulesPolicyOutOfGas.selector,
                space,
                policy,
                given
            );
        } else {
            bytes memory data = _returned(size < REASON_BYTES ? size : REASON_BYTES);
            reason = abi.encodeWithSelector(
                MemoryRulesPolicyRefused.selector,
                space,
                policy,
                data
            );
        }
    }

    /// @dev The first `size` bytes of what the last call returned.
    function _returned(uint256 size) private pure returns (bytes memory data) {
        data = new bytes(size);
        assembly ("memory-safe") {
            returndatacopy(add(data, 0x20), 0, size)
        }
    }
}
