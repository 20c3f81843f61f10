// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @title One leaf for each block that changed memory, without gaps.
 *
 * The root of a leaf is the RFC 6962 Merkle root (SHA-256) over the block's operations in order, each as
 * the bytes that its space's log keeps.
 */
interface IAuditLog {
    struct Leaf {
        /// The block's height.
        uint64 height;
        /// How many operations the block has.
        uint64 operations;
        /// The root over them.
        bytes32 root;
    }

    error AuditLogNotLedger(address caller);
    error AuditLogHeightNotAbove(uint256 height, uint256 last);
    error AuditLogNoOperations(uint256 height);
    error AuditLogUnknownLeaf(uint256 index, uint256 length);

    event AuditLeafAppended(
        uint256 indexed index,
        uint256 indexed height,
        uint256 operations,
        bytes32 root,
        bytes32 head
    );

    /// @notice Appends the leaf of a block. Only for the ledger.
    function append(uint64 height, uint64 operations, bytes32 root) external returns (uint256 index);

    /// @notice How many leaves there are.
    function length() external view returns (uint256);

    /// @notice A leaf by its place.
    function leafAt(uint256 index) external view returns (Leaf memory);

    /**
     * @notice What all leaves hash to, one after the other; zero if there are none.
     *
     * SHA-256 of the head before it, height and operations (8 bytes each, big-endian) and root.
     */
    function head() external view returns (bytes32);

    /**
     * @notice Whether a block has an operation.
     * @param index The place of the block's leaf.
     * @param position The operation's place in the block.
     * @param operation The operation's bytes.
     * @param path RFC 6962 inclusion path, from the leaf up.
     */
    function includes(
        uint256 index,
        uint256 position,
        bytes calldata operation,
        bytes32[] calldata path
    ) external view returns (bool);
}
