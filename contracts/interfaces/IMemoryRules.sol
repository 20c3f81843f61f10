// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev Kinds of operations on a space's content.
library MemoryKinds {
    /// An entry, new or under its key.
    uint256 internal constant PUT = 1;
    /// An entry that replaces another.
    uint256 internal constant SUPERSEDE = 2;
    /// An old version made the newest again.
    uint256 internal constant ROLLBACK = 3;
    /// An entry pinned or unpinned.
    uint256 internal constant PIN = 4;
    /// An entry's content erased.
    uint256 internal constant TOMBSTONE = 5;
    /// A new key epoch of a sealed space.
    uint256 internal constant ROTATE_KEYS = 6;
    /// A reader vouching for an entry or disputing it.
    uint256 internal constant ATTEST = 7;
}

/// @dev What a grant may allow: bits.
library MemoryRights {
    /// Attest; and be given the keys of a sealed space. Everyone holds it in a public space.
    uint256 internal constant READ = 1;
    /// Put, supersede.
    uint256 internal constant WRITE = 2;
    /// Roll back, pin, erase.
    uint256 internal constant CURATE = 4;
    /// Rotate keys, change the space, freeze it, grant what is not ADMIN.
    uint256 internal constant ADMIN = 8;
    /// All of them: what the owner holds.
    uint256 internal constant ALL = 15;
}

/// @dev How content of a space is kept.
library MemoryModes {
    /// Readable by all.
    uint8 internal constant PUBLIC = 0;
    /// Ciphertext, for those who hold the space's keys.
    uint8 internal constant SEALED = 1;
}

/**
 * @title The rules of memory: who may do what in which space.
 *
 * Asked by the ledger for every operation on memory, whichever side it comes from.
 *
 * An account has up to two addresses: the EVM's (keccak-256 of its key) and the native one (hash160
 * of its key). A grant or an ownership under either counts for both, where both are known: always
 * in {decide}, and in calls from the EVM once {link} tied them.
 */
interface IMemoryRules {
    /// @dev A space as {spaceOf} shows it.
    struct Space {
        address owner;
        uint8 mode;
        bool personal;
        bool frozen;
        bool frozenByGovernors;
        uint32 epoch;
        uint40 createdHeight;
        address policy;
        uint64 maxEntries;
        uint64 maxBytes;
        uint64 entries;
        uint64 size;
    }

    /// @dev A grant as {grantOf} shows it; what is revoked or void has no rights.
    struct Grant {
        uint8 rights;
        uint40 expiry;
        address by;
    }

    /// @dev What a transaction takes of the lists that {decide} is given, each read from front to back.
    struct Transaction {
        /// Most gas that policies may use.
        uint256 policyGas;
        /// How many steps are this transaction's.
        uint256 steps;
        /// How many of the signers are this transaction's.
        uint256 signers;
        /// How many of the steps are actions.
        uint256 actions;
    }

    /**
     * @dev All operations of one author on one space in a transaction; or, where `kinds` is zero, one
     * action: a call of this contract's own functions, made for the author.
     */
    struct Step {
        /// The space; zero for an action.
        bytes32 space;
        /// The author as the EVM knows it.
        address author;
        /// The author as the native side knows it; equal to `author` if there is no other.
        address account;
        /// One bit, 1 << kind, for every kind of operation in the step; zero for an action.
        uint256 kinds;
        /// Entries that the step adds.
        uint256 entries;
        /// Bytes that the step keeps for good.
        uint256 size;
        /// How many of the operations are this step's: zero for an action, and where no policy is asked.
        uint256 operations;
    }

    /// @dev One operation, for policies.
    struct Operation {
        uint256 kind;
        uint256 size;
        bytes32 keyHash;
        bytes32 contentHash;
    }

    // Refusals of content.

    /// There is no such space.
    error MemoryRulesUnknownSpace(bytes32 space);
    /// The space takes nothing while it is frozen.
    error MemoryRulesFrozen(bytes32 space, bool byGovernors);
    /// The author lacks a right in the space; `held` is what it has, expired grants excepted.
    error MemoryRulesNotGranted(bytes32 space, address author, uint256 needed, uint256 held);
    /// The author's grant would have been enough, but has expired.
    error MemoryRulesGrantExpired(bytes32 space, address author, uint256 expiry);
    /// More entries than the space may hold.
    error MemoryRulesTooManyEntries(bytes32 space, uint256 limit, uint256 wanted);
    /// More bytes than the space may hold.
    error MemoryRulesTooManyBytes(bytes32 space, uint256 limit, uint256 wanted);
    /// The space's policy refused; `reason` is what it reverted with, cut at 1,024 bytes.
    error MemoryRulesPolicyRefused(bytes32 space, address policy, bytes reason);
    /// The space's policy used all of the gas that it was given.
    error MemoryRulesPolicyOutOfGas(bytes32 space, address policy, uint256 gas);
    /// The space's policy is no contract, or answered something other than its selector.
    error MemoryRulesPolicyInvalid(bytes32 space, address policy);

    // Refusals of changes.

    /// The space exists already.
    error MemoryRulesSpaceExists(bytes32 space);
    /// Only the owner may do this.
    error MemoryRulesNotOwner(bytes32 space, address caller);
    /// Nobody grants rights to itself; the owner has them all.
    error MemoryRulesSelfGrant(bytes32 space, address subject);
    /// Rights that do not exist, or none.
    error MemoryRulesInvalidRights(uint256 rights);
    /// A time that is past already.
    error MemoryRulesInvalidExpiry(uint256 expiry);
    /// A mode that does not exist.
    error MemoryRulesInvalidMode(uint256 mode);
    /// The zero address, where someone is needed.
    error MemoryRulesInvalidAddress(address subject);
    /// A quota above what governance allows.
    error MemoryRulesQuotaAboveLimit(uint256 wanted, uint256 limit);
    /// A personal space stays its account's.
    error MemoryRulesPersonalSpace(bytes32 space);
    /// Coordinates that are no point of secp256k1.
    error MemoryRulesInvalidKey(bytes32 x, bytes32 y);
    /// What the native side asked for is not a call that this contract takes, or is malformed.
    error MemoryRulesInvalidAction();

    // Defects of a call.

    /// Only the ledger itself may call this.
    error MemoryRulesNotLedger(address caller);
    /// The call has too little gas to give policies what they are due.
    error MemoryRulesGasTooLow();
    /// The lists of {decide} do not fit together.
    error MemoryRulesMalformedBatch();
    /// The step of a transaction with actions was refused: how a frame tells {decide}.
    error MemoryRulesFrameRefused(uint256 verdict, bytes reason);

    event SpaceCreated(
        bytes32 indexed space,
        address indexed owner,
        uint8 mode,
        address policy,
        uint64 maxEntries,
        uint64 maxBytes
    );
    event SpaceUpdated(
        bytes32 indexed space,
        uint8 mode,
        address policy,
        uint64 maxEntries,
        uint64 maxBytes
    );
    event SpaceTransferred(bytes32 indexed space, address indexed from, address indexed to);
    event SpaceFrozen(bytes32 indexed space, address indexed by, bool byGovernors);
    event SpaceUnfrozen(bytes32 indexed space, address indexed by, bool byGovernors);
    event Granted(
        bytes32 indexed space,
        address indexed subject,
        uint256 rights,
        uint256 expiry,
        address indexed by
    );
    event Revoked(bytes32 indexed space, address indexed subject, address indexed by);
    event AddressLinked(address indexed author, address indexed account);
    event LimitsChanged(uint64 maxEntries, uint64 maxBytes);

    /// @notice Most gas that one call of a policy gets.
    function POLICY_GAS() external view returns (uint256);

    /**
     * @notice Decides a batch of transactions, each as a whole: all of its steps or none. Only for the ledger.
     *
     * A verdict is one word per transaction: bits 0–63 hold the gas that policies used; bits 64–95 are 0 if
     * all is allowed, else 1 + the place of the refused step in its transaction; bits 96–127 hold the place
     * of the refused operation in its step (0 if the step was refused as a whole). `reasons` has the data
     * of a custom error for each refused transaction, in order.
     */
    function decide(
        Transaction[] calldata transactions,
        Step[] calldata steps,
        Operation[] calldata operations,
        address[] calldata signers,
        bytes[] calldata actions
    ) external returns (uint256[] memory verdicts, bytes[] memory reasons);

    /// @notice Decides one operation of a contract or account of the EVM, or reverts. Only for {ILedger}.
    function decideOne(
        address author,
        bytes32 space,
        uint256 kind,
        uint256 size,
        bytes32 keyHash,
        bytes32 contentHash
    ) external;

    /**
     * @notice Makes a space of the caller's.
     * @param salt Tells the spaces of one owner apart.
     * @return space SHA-256 of "metatron/space/shared/", the caller's 20 bytes (as the EVM knows it) and the salt.
     */
    function createSpace(
        bytes32 salt,
        uint8 mode,
        address policy,
        uint64 maxEntries,
        uint64 maxBytes
    ) external returns (bytes32 space);

    /// @notice Changes a space. Needs ADMIN.
    function updateSpace(
        bytes32 space,
        uint8 mode,
        address policy,
        uint64 maxEntries,
        uint64 maxBytes
    ) external;

    /// @notice Gives a space to another owner; all grants become void. Only for its owner.
    function transferSpace(bytes32 space, address to) external;

    /**
     * @notice Gives rights to `subject`, in place of those it had. Needs ADMIN; to grant or replace ADMIN,
     * or to change the grant of one who holds it, needs the owner.
     * @param expiry The block time, in seconds, from which on the grant counts no more; 0 is never.
     */
    function grant(bytes32 space, address subject, uint256 rights, uint256 expiry) external;

    /// @notice Takes all rights from `subject`. Needs ADMIN, and the owner if `subject` holds ADMIN; or is one's own.
    function revoke(bytes32 space, address subject) external;

    /// @notice Stops all operations on a space's content. Needs ADMIN.
    function freeze(bytes32 space) external;

    /// @notice Undoes {freeze}. Needs ADMIN.
    function unfreeze(bytes32 space) external;

    /// @notice Stops all operations on a space's content, or lets them go on. Only for governance.
    function setFrozenByGovernors(bytes32 space, bool frozen) external;

    /// @notice Sets the quotas that spaces may have at most, and that personal spaces start with. Only for governance.
    function setLimits(uint64 maxEntries, uint64 maxBytes) external;

    /// @notice Ties the two addresses of a secp256k1 public key, given by its coordinates. For anyone to call.
    function link(bytes32 x, bytes32 y) external returns (address author, address account);

    /// @notice A space; all zero if it does not exist.
    function spaceOf(bytes32 space) external view returns (Space memory);

    /// @notice A grant.
    function grantOf(bytes32 space, address subject) external view returns (Grant memory);

    /// @notice The rights that an address has in a space now, its linked native address counted.
    function rightsOf(bytes32 space, address subject) external view returns (uint256);

    /// @notice The quotas that spaces may have at most.
    function limits() external view returns (uint64 maxEntries, uint64 maxBytes);

    /// @notice The native address of an EVM address, or the address itself if none is linked.
    function accountOf(address author) external view returns (address);

    /// @notice The id of the space that belongs to an account, by its native address.
    function personalSpaceOf(address account) external view returns (bytes32);

    /// @notice What an author wrote into a space that has a policy, in the current hour and day.
    function windowOf(
        bytes32 space,
        address author
    ) external view returns (uint256 hourWrites, uint256 hourBytes, uint256 dayWrites, uint256 dayBytes);
}
