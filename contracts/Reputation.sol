// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {LEDGER_ACCESS, SYSTEM_CALLER} from "./SystemAddresses.sol";
import {IReputation, ReputationSources} from "./interfaces/IReputation.sol";

/**
 * @title Scores that only the ledger moves.
 *
 * Upholds: a score stays within 0 and {MAX}; no account can move one, its own or another's; governance
 * weighs what is to come, and changes no score.
 */
contract Reputation is AccessManaged, IReputation {
    /// @dev One slot.
    struct Score {
        uint40 time;
        uint32 value;
        bool moved;
    }

    /// @notice The highest score.
    uint256 public constant MAX = 1_000_000;
    /// @notice Where everyone starts, and returns to.
    uint256 public constant NEUTRAL = 500_000;
    /// @notice How long it takes until half of what moved a score is gone.
    uint256 public constant HALF_LIFE = 30 days;
    /// @notice Most that one event may move a score by.
    int256 public constant MAX_WEIGHT = 500_000;

    mapping(uint8 source => int32 weight) private _weights;
    mapping(address subject => Score score) private _scores;
    mapping(address subject => Change[] changes) private _changes;

    constructor() AccessManaged(LEDGER_ACCESS) {
        _setWeight(ReputationSources.DOUBLE_SIGN, -400_000);
        _setWeight(ReputationSources.LIGHT_CLIENT_ATTACK, -400_000);
        _setWeight(ReputationSources.MISSED_BLOCK, -100);
    }

    /// @inheritdoc IReputation
    function record(Report[] calldata reports) external {
        if (msg.sender != SYSTEM_CALLER) revert ReputationNotLedger(msg.sender);
        for (uint256 i = 0; i < reports.length; ++i) {
            _apply(reports[i]);
        }
    }

    /// @inheritdoc IReputation
    function setWeight(uint8 source, int32 weight) external restricted {
        if (weight > MAX_WEIGHT || weight < -MAX_WEIGHT) revert ReputationInvalidWeight(weight);
        _setWeight(source, weight);
    }

    /// @inheritdoc IReputation
    function weightOf(uint8 source) external view returns (int32) {
        return _weights[source];
    }

    /// @inheritdoc IReputation
    function changesOf(address subject) external view returns (uint256) {
        return _changes[subject].length;
    }

    /// @inheritdoc IReputation
    function history(
        address subject,
        uint256 start,
        uint256 limit
    ) external view returns (Change[] memory list) {
        Change[] storage changes = _changes[subject];
        uint256 count = changes.length;
        if (start >= count) return list;
        uint256 rest = count - start;
        list = new Change[](limit < rest ? limit : rest);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = changes[start + i];
        }
    }

    /// @inheritdoc IReputation
    function scoreOfEither(address author, address account) external view returns (uint256) {
        if (author == account || !_scores[account].moved) return scoreOf(author);
        uint256 other = scoreOf(account);
        if (!_scores[author].moved) return other;
        uint256 own = scoreOf(author);
        return own < other ? own : other;
    }

    /// @inheritdoc IReputation
    function scoreOf(address subject) public view returns (uint256) {
        Score memory score = _scores[subject];
        if (!score.moved) return NEUTRAL;
        uint256 elapsed = block.timestamp - score.time;
        return
            score.value < NEUTRAL
                ? NEUTRAL - _decayed(NEUTRAL - score.value, elapsed)
                : NEUTRAL + _decayed(score.value - NEUTRAL, elapsed);
    }

    function _apply(Report calldata report) private {
        int256 weight = _weights[report.source];
        if (weight == 0) revert ReputationUnknownSource(report.source);
        address subject = report.subject;
        uint256 before = scoreOf(subject);
        int256 moved = int256(before) + weight * int256(uint256(report.count));
        uint256 value = moved < 0 ? 0 : uint256(moved);
        if (value > MAX) value = MAX;
        _scores[subject] = Score({time: uint40(block.timestamp), value: uint32(value), moved: true});
        _changes[subject].push(
            Change({
                time: uint40(block.timestamp),
                height: uint40(block.number),
                source: report.source,
                count: report.count,
                before: uint32(before),
                afterwards: uint32(value)
            })
        );
        emit ReputationChanged(
            subject,
            report.source,
            report.count,
            uint32(before),
            uint32(value),
            report.evidence
        );
    }

    function _setWeight(uint8 source, int32 weight) private {
        _weights[source] = weight;
        emit ReputationWeightChanged(source, weight);
    }

    /// @dev Halves for each half-life; in between, a straight line from one half to the next.
    function _decayed(uint256 amount, uint256 elapsed) private pure returns (uint256) {
        uint256 halvings = elapsed / HALF_LIFE;
        if (halvings > 32) return 0;
        uint256 rest = elapsed % HALF_LIFE;
        return ((amount >> halvings) * (2 * HALF_LIFE - rest)) / (2 * HALF_LIFE);
    }
}
