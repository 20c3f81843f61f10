// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @title How far accounts and validators kept to the rules, as the ledger can prove it.
 *
 * A score goes from 0 to 1,000,000; everyone starts at 500,000. What an event moved is halved every 30
 * days, so a score that nothing moves returns to 500,000. Nobody but the ledger moves a score.
 */
interface IReputation {
    /// @dev One event that the ledger reports.
    struct Report {
        address subject;
        /// What happened: one of the constants of {ReputationSources}.
        uint8 source;
        /// How many times.
        uint32 count;
        /// What proves it: a hash of evidence, or zero.
        bytes32 evidence;
    }

    /// @dev One move of a score.
    struct Change {
        uint40 time;
        uint40 height;
        uint8 source;
        uint32 count;
        uint32 before;
        uint32 afterwards;
    }

    error ReputationNotLedger(address caller);
    error ReputationUnknownSource(uint8 source);
    error ReputationInvalidWeight(int256 weight);

    event ReputationChanged(
        address indexed subject,
        uint8 indexed source,
        uint32 count,
        uint32 before,
        uint32 afterwards,
        bytes32 evidence
    );
    event ReputationWeightChanged(uint8 indexed source, int32 weight);

    /// @notice Applies events, in order. Only for the ledger.
    function record(Report[] calldata reports) external;

    /// @notice Sets what one event of a source moves a score by; 0 closes the source. Only for governance.
    function setWeight(uint8 source, int32 weight) external;

    /// @notice The score of an address at the present block.
    function scoreOf(address subject) external view returns (uint256);

    /// @notice The score of an account by its two addresses: of the one that has a history, the lower if both have.
    function scoreOfEither(address author, address account) external view returns (uint256);

    /// @notice What one event of a source moves a score by.
    function weightOf(uint8 source) external view returns (int32);

    /// @notice How often the score of an address was moved.
    function changesOf(address subject) external view returns (uint256);

    /// @notice Moves of a score, oldest first: at most `limit` from place `start` on.
    function history(
        address subject,
        uint256 start,
        uint256 limit
    ) external view returns (Change[] memory);
}

/// @dev What moves a score.
library ReputationSources {
    /// A validator signed two blocks for one height and round.
    uint8 internal constant DOUBLE_SIGN = 1;
    /// A validator signed what misled light clients.
    uint8 internal constant LIGHT_CLIENT_ATTACK = 2;
    /// A validator's vote was missing from a commit.
    uint8 internal constant MISSED_BLOCK = 3;
}
