// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @title How contracts write to the ledger's memory and read from it.
 *
 * {put} asks the rules at once and leaves a log; right after the transaction, if it succeeded, the ledger
 * makes the entry from the log.
 */
interface ILedger {
    error LedgerInvalidType(uint256 entryType);
    error LedgerInvalidContent(uint256 size, uint256 limit);
    error LedgerInvalidKey();
    error LedgerInvalidTags();
    error LedgerAccountNotLinked(address caller);

    event PutRequested(
        bytes32 indexed id,
        bytes32 indexed space,
        address indexed author,
        uint64 number,
        uint8 entryType,
        string key,
        bytes content,
        string[] tags
    );

    /**
     * @notice Writes an entry for the caller.
     * @param space The space, or zero for the caller's personal space.
     * @param entryType 1 text, 2 chat, 3 field state, 4 consciousness state, 5 RAG context, 6 custom.
     * @param key Name under which later versions replace this one: UTF-8 of at most 256 bytes, may be empty.
     * @param content 1 to 65,536 bytes.
     * @param tags At most 16, each UTF-8 of 1 to 64 bytes, none twice.
     * @return id The entry's id: SHA-256 of "metatron/entry/contract/", space, caller and `number` (8 bytes).
     */
    function put(
        bytes32 space,
        uint8 entryType,
        string calldata key,
        bytes calldata content,
        string[] calldata tags
    ) external returns (bytes32 id);

    /// @notice How many entries were written through this contract: the `number` of the next one.
    function requests() external view returns (uint64);

    /**
     * @notice Whether the ledger took an operation in a block: {IAuditLog-includes}.
     *
     * A contract reads an entry by being handed the operation's bytes and the path.
     */
    function includes(
        uint256 index,
        uint256 position,
        bytes calldata operation,
        bytes32[] calldata path
    ) external view returns (bool);
}
