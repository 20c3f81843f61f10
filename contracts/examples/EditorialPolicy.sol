// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMemoryPolicy, MemoryOperation} from "../interfaces/IMemoryPolicy.sol";

/**
 * @title A worked example of an organisation's own policy: editors write, and only small entries.
 *
 * The organisation deploys it, names it in its space (`updateSpace`), and from then on the ledger asks it about
 * every operation on that space. What it reverts with reaches the writer, decoded.
 */
contract EditorialPolicy is IMemoryPolicy {
    /// @notice Who keeps the list of editors.
    address public immutable publisher;
    /// @notice Most bytes of one entry.
    uint256 public immutable maxBytes;

    /// @notice Whether an account is an editor.
    mapping(address account => bool) public isEditor;

    /// @dev The caller does not keep the list.
    error EditorialNotPublisher(address caller);
    /// @dev The author is on the list under neither of its addresses.
    error EditorialNotEditor(address author);
    /// @dev The entry is too long for this organisation.
    error EditorialTooLong(uint256 size, uint256 maxBytes);

    event EditorChanged(address indexed account, bool editor);

    constructor(uint256 maxBytes_) {
        publisher = msg.sender;
        maxBytes = maxBytes_;
    }

    /// @notice Puts an account on the list, or takes it off.
    function setEditor(address account, bool editor) external {
        if (msg.sender != publisher) revert EditorialNotPublisher(msg.sender);
        isEditor[account] = editor;
        emit EditorChanged(account, editor);
    }

    /// @inheritdoc IMemoryPolicy
    function check(MemoryOperation calldata operation) external view returns (bytes4) {
        if (!isEditor[operation.author] && !isEditor[operation.account]) {
            revert EditorialNotEditor(operation.author);
        }
        if (operation.size > maxBytes) revert EditorialTooLong(operation.size, maxBytes);
        return IMemoryPolicy.check.selector;
    }
}
