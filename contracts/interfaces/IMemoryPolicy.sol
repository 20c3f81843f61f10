// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @dev What a policy is told about one operation on a memory space.
 *
 * The counts are those of this author in this space before the operation, in the current hour and
 * day of block time, counted from the Unix epoch.
 */
struct MemoryOperation {
    /// The space that is written to.
    bytes32 space;
    /// The author as the EVM knows it: keccak-256 of the public key, or a contract.
    address author;
    /// The author as the ledger's native side knows it; equal to `author` if there is no other.
    address account;
    /// What is done: one of the constants of {MemoryKinds}.
    uint256 kind;
    /// Bytes that the operation keeps for good.
    uint256 size;
    /// SHA-256 of the entry's key; zero without a key.
    bytes32 keyHash;
    /// SHA-256 of the entry's content.
    bytes32 contentHash;
    /// The block's height.
    uint256 height;
    /// The block's time, in seconds.
    uint256 time;
    /// The author's reputation, 0 to 1,000,000.
    uint256 reputation;
    uint256 writesThisHour;
    uint256 bytesThisHour;
    uint256 writesThisDay;
    uint256 bytesThisDay;
    /// Everyone who signed the transaction, the author too, as the EVM knows them; empty if a contract writes.
    address[] signers;
}

/**
 * @dev A space's own rules: a contract that is asked about every operation on the space.
 *
 * It is called by STATICCALL with {IMemoryRules-POLICY_GAS} gas, or what the writer has left.
 */
interface IMemoryPolicy {
    /**
     * @notice Allows an operation by returning this function's selector, refuses it by reverting.
     *
     * The data of the revert, up to 1,024 bytes, reaches the writer. Whatever else happens (another
     * answer, no contract, no gas left) refuses the operation as well. The gas that is used is charged
     * to the writer, also when the operation is refused; every account and slot counts as warm.
     */
    function check(MemoryOperation calldata operation) external view returns (bytes4);
}
