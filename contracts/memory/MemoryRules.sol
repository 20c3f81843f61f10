// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LEDGER, SYSTEM_CALLER} from "../SystemAddresses.sol";
import {IMemoryRules} from "../interfaces/IMemoryRules.sol";
import {MemoryJudge} from "./MemoryJudge.sol";
import {MemorySpaces} from "./MemorySpaces.sol";

/**
 * @title The rules of memory, asked in batches.
 *
 * Upholds: a transaction's steps are all done or none; neither a verdict nor the gas of policies depends on
 * what else is in the batch, given that every account and slot is warm.
 *
 * A transaction of one step is decided in place: nothing is written before all is allowed. Any other is
 * decided in a frame, a call of this contract to itself, whose revert undoes the steps before a refusal.
 */
contract MemoryRules is MemoryJudge {
    /// @dev More than any action needs, all slots cold.
    uint256 private constant ACTION_GAS = 500_000;

    constructor(uint64 maxEntries, uint64 maxBytes) MemorySpaces(maxEntries, maxBytes) {}

    /// @inheritdoc IMemoryRules
    function decide(
        Transaction[] calldata transactions,
        Step[] calldata steps,
        Operation[] calldata operations,
        address[] calldata signers,
        bytes[] calldata actions
    ) external returns (uint256[] memory verdicts, bytes[] memory reasons) {
        if (msg.sender != SYSTEM_CALLER) revert MemoryRulesNotLedger(msg.sender);
        Cursor memory cursor = _cursor(transactions, steps, operations, signers);
        verdicts = _answer(transactions.length);
        reasons = _reserve(transactions.length);
        while (true) {
            _passPlain(cursor);
            if (cursor.transaction == cursor.transactionsEnd) break;
            uint256 place = _placeOf(cursor, transactions);
            bytes memory reason;
            (verdicts[place], reason) = _decideNext(cursor, actions);
            if (reason.length != 0) _push(reasons, reason);
        }
        if (cursor.action != actions.length) revert MemoryRulesMalformedBatch();
        _checkEnd(cursor);
        if (reasons.length == 0) _return(verdicts);
    }

    /// @notice Decides a transaction in a frame, or reverts with {MemoryRulesFrameRefused}. Only for this contract.
    function decideFrame(Frame calldata frame) external returns (uint256 spent) {
        if (msg.sender != address(this)) revert MemoryRulesNotLedger(msg.sender);
        Cursor memory cursor = _cursorOf(frame);
        bytes[] calldata actions = frame.actions;
        uint256 action;
        for (uint256 place; cursor.step < cursor.stepsEnd; ++place) {
            Step calldata step = _stepAt(cursor.step);
            cursor.policyGas = frame.policyGas - spent;
            uint256 verdict;
            bytes memory reason;
            if (step.kinds == 0) {
                reason = _act(step, actions[action]);
                ++action;
                cursor.step += STEP_BYTES;
            } else {
                (verdict, reason) = _judge(cursor);
                spent += uint64(verdict);
            }
            if (reason.length != 0) {
                verdict = (verdict >> OPERATION_SHIFT) << OPERATION_SHIFT;
                revert MemoryRulesFrameRefused(verdict | ((place + 1) << STEP_SHIFT) | spent, reason);
            }
        }
        if (action != actions.length) revert MemoryRulesMalformedBatch();
        _checkEnd(cursor);
    }

    /// @inheritdoc IMemoryRules
    function decideOne(
        address author,
        bytes32 space,
        uint256 kind,
        uint256 size,
        bytes32 keyHash,
        bytes32 contentHash
    ) external {
        if (msg.sender != LEDGER) revert MemoryRulesNotLedger(msg.sender);
        bytes memory reason = _judgeOne(
            Subject({space: space, author: author, account: accountOf(author)}),
            Facts({kind: kind, size: size, keyHash: keyHash, contentHash: contentHash})
        );
        if (reason.length == 0) return;
        assembly ("memory-safe") {
            revert(add(reason, 0x20), mload(reason))
        }
    }

    /// @dev Decides the next transaction of a cursor.
    function _decideNext(
        Cursor memory cursor,
        bytes[] calldata actions
    ) private returns (uint256 verdict, bytes memory reason) {
        Transaction calldata transaction = _transactionAt(cursor.transaction);
        cursor.policyGas = transaction.policyGas;
        cursor.signers = transaction.signers;
        if (transaction.steps == 1 && transaction.actions == 0) {
            (verdict, reason) = _judge(cursor);
            if (reason.length != 0) verdict |= 1 << STEP_SHIFT;
        } else {
            Frame memory frame;
            frame.policyGas = cursor.policyGas;
            frame.operations = _takeOperations(cursor, transaction.steps);
            frame.steps = _takeSteps(cursor, transaction.steps);
            frame.signers = _signers(cursor);
            frame.actions = _takeActions(cursor, actions, transaction.actions);
            (verdict, reason) = _decideIn(frame);
        }
        cursor.signer += cursor.signers * SIGNER_BYTES;
        cursor.transaction += TRANSACTION_BYTES;
    }

    /// @dev Decides a transaction in a frame.
    function _decideIn(
        Frame memory frame
    ) private returns (uint256 verdict, bytes memory reason) {
        try this.decideFrame(frame) returns (uint256 spent) {
            return (spent, reason);
        } catch (bytes memory data) {
            if (bytes4(data) == MemoryRulesFrameRefused.selector) return _refusal(data);
            // A defect of the batch. Without data: the frame ran out of gas.
            if (data.length == 0) revert MemoryRulesGasTooLow();
            assembly ("memory-safe") {
                revert(add(data, 0x20), mload(data))
            }
        }
    }

    /// @dev Takes actions off the front.
    function _takeActions(
        Cursor memory cursor,
        bytes[] calldata actions,
        uint256 count
    ) private pure returns (bytes[] memory own) {
        uint256 from = cursor.action;
        if (count > actions.length - from) revert MemoryRulesMalformedBatch();
        own = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) {
            own[i] = actions[from + i];
        }
        cursor.action = from + count;
    }

    /// @dev What a {MemoryRulesFrameRefused} carries.
    function _refusal(bytes memory data) private pure returns (uint256 verdict, bytes memory reason) {
        assembly ("memory-safe") {
            // The arguments, without the selector, as a list of bytes of their own.
            let size := sub(mload(data), 4)
            data := add(data, 4)
            mstore(data, size)
        }
        return abi.decode(data, (uint256, bytes));
    }

    /// @dev Makes a change for an account of the native side; answers what it reverted with.
    function _act(Step calldata step, bytes calldata action) private returns (bytes memory reason) {
        if (!_isAction(action)) return abi.encodePacked(MemoryRulesInvalidAction.selector);
        if (gasleft() < 2 * ACTION_GAS) revert MemoryRulesGasTooLow();
        // solhint-disable-next-line avoid-low-level-calls
        (bool done, bytes memory data) = address(this).call{gas: ACTION_GAS}(
            abi.encodePacked(action, step.author, step.account)
        );
        if (done) return reason;
        return data.length == 0 ? abi.encodePacked(MemoryRulesInvalidAction.selector) : data;
    }

    /// @dev Whether a call is one of those that accounts of the native side may make.
    function _isAction(bytes calldata action) private pure returns (bool) {
        bytes4 selector = bytes4(action);
        return
            action.length >= 4 &&
            (selector == this.grant.selector ||
                selector == this.revoke.selector ||
                selector == this.createSpace.selector ||
                selector == this.updateSpace.selector ||
                selector == this.transferSpace.selector ||
                selector == this.freeze.selector ||
                selector == this.unfreeze.selector);
    }

    /// @dev The place of a cursor's transaction in the batch.
    function _placeOf(
        Cursor memory cursor,
        Transaction[] calldata transactions
    ) private pure returns (uint256) {
        uint256 front;
        assembly ("memory-safe") {
            front := transactions.offset
        }
        return (cursor.transaction - front) / TRANSACTION_BYTES;
    }

    /// @dev Verdicts that are all 0, with room around them for what {_return} adds.
    function _answer(uint256 count) private pure returns (uint256[] memory verdicts) {
        assembly ("memory-safe") {
            verdicts := add(mload(0x40), 0x40)
            let end := add(verdicts, mul(add(count, 1), 0x20))
            mstore(0x40, add(end, 0x20))
            mstore(verdicts, count)
            // Past its end, calldata reads as zeros.
            calldatacopy(add(verdicts, 0x20), calldatasize(), mul(count, 0x20))
        }
    }

    /// @dev An empty list with room for `count` items.
    function _reserve(uint256 count) private pure returns (bytes[] memory list) {
        assembly ("memory-safe") {
            list := mload(0x40)
            mstore(list, 0)
            mstore(0x40, add(list, mul(add(count, 1), 0x20)))
        }
    }

    /// @dev Adds an item to a list that has room for it.
    function _push(bytes[] memory list, bytes memory item) private pure {
        assembly ("memory-safe") {
            let count := add(mload(list), 1)
            mstore(list, count)
            mstore(add(list, mul(count, 0x20)), item)
        }
    }

    /// @dev Ends the call with verdicts of {_answer} and no reasons, as the encoder would, without a copy.
    function _return(uint256[] memory verdicts) private pure {
        assembly ("memory-safe") {
            let size := mul(add(mload(verdicts), 1), 0x20)
            let front := sub(verdicts, 0x40)
            mstore(front, 0x40)
            mstore(add(front, 0x20), add(size, 0x40))
            mstore(add(verdicts, size), 0)
            return(front, add(size, 0x60))
        }
    }
}
