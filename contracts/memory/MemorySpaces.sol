// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {LEDGER_ACCESS} from "../SystemAddresses.sol";
import {IMemoryRules, MemoryModes, MemoryRights} from "../interfaces/IMemoryRules.sol";

/**
 * @dev Spaces, grants and linked addresses: what they hold and who may change it.
 *
 * Upholds: nobody grants rights to itself; only an owner makes or unmakes an ADMIN; no space has a quota
 * above the limits of governance when it is set; a personal space belongs to its account for good.
 *
 * The changes are for anyone to call, and are also made by {MemoryRules} itself for accounts of the native
 * side; such a call of its own ends with the author's two addresses, 20 bytes each.
 */
abstract contract MemorySpaces is AccessManaged, IMemoryRules {
    /// @dev Three slots; {MemoryRules} reads the first two as words.
    struct SpaceRecord {
        address owner;
        uint40 createdHeight;
        uint32 epoch;
        uint8 mode;
        uint8 flags;
        // Second slot.
        uint64 maxEntries;
        uint64 maxBytes;
        uint64 entries;
        uint64 size;
        // Third slot; means something if the flag is set.
        address policy;
    }

    /// @dev One slot. Void if the epoch is not the space's.
    struct GrantRecord {
        address by;
        uint40 expiry;
        uint32 epoch;
        uint8 rights;
    }

    /// @dev One slot: what an author wrote into a space with a policy.
    struct Window {
        uint32 hour;
        uint32 hourWrites;
        uint32 dayWrites;
        uint64 hourBytes;
        uint64 dayBytes;
    }

    struct Limits {
        uint64 maxEntries;
        uint64 maxBytes;
    }

    uint8 internal constant FROZEN = 1;
    uint8 internal constant FROZEN_BY_GOVERNORS = 2;
    uint8 internal constant HAS_POLICY = 4;
    uint8 internal constant PERSONAL = 8;

    /// @dev Where the fields after the owner lie in a space's first slot.
    uint256 internal constant HEIGHT_SHIFT = 160;
    uint256 internal constant EPOCH_SHIFT = 200;
    uint256 internal constant MODE_SHIFT = 232;
    uint256 internal constant FLAGS_SHIFT = 240;

    /// @dev The prime of the field that secp256k1 is defined over.
    uint256 private constant FIELD = 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f;

    mapping(bytes32 space => SpaceRecord record) internal _spaces;
    mapping(bytes32 space => mapping(address subject => GrantRecord record)) internal _grants;
    mapping(bytes32 space => mapping(address author => Window window)) internal _windows;
    mapping(address author => address account) private _accounts;
    Limits private _limits;

    constructor(uint64 maxEntries, uint64 maxBytes) AccessManaged(LEDGER_ACCESS) {
        _setLimits(maxEntries, maxBytes);
    }

    // ------------------------------------------------------------------ changes

    /// @inheritdoc IMemoryRules
    function createSpace(
        bytes32 salt,
        uint8 mode,
        address policy,
        uint64 maxEntries,
        uint64 maxBytes
    ) external returns (bytes32 space) {
        (address author, ) = _caller();
        space = sha256(abi.encodePacked("metatron/space/shared/", author, salt));
        SpaceRecord storage record = _spaces[space];
        if (record.owner != address(0)) revert MemoryRulesSpaceExists(space);
        record.owner = author;
        record.createdHeight = uint40(block.number);
        _setTerms(record, mode, policy, maxEntries, maxBytes);
        emit SpaceCreated(space, author, mode, policy, maxEntries, maxBytes);
    }

    /// @inheritdoc IMemoryRules
    function updateSpace(
        bytes32 space,
        uint8 mode,
        address policy,
        uint64 maxEntries,
        uint64 maxBytes
    ) external {
        SpaceRecord storage record = _administered(space);
        _setTerms(record, mode, policy, maxEntries, maxBytes);
        emit SpaceUpdated(space, mode, policy, maxEntries, maxBytes);
    }

    /// @inheritdoc IMemoryRules
    function transferSpace(bytes32 space, address to) external {
        (address author, address account) = _caller();
        SpaceRecord storage record = _existing(space, account);
        _checkOwner(record, space, author, account);
        if (record.flags & PERSONAL != 0) revert MemoryRulesPersonalSpace(space);
        if (to == address(0)) revert MemoryRulesInvalidAddress(to);
        address from = record.owner;
        record.owner = to;
        ++record.epoch;
        emit SpaceTransferred(space, from, to);
    }

    /// @inheritdoc IMemoryRules
    function grant(bytes32 space, address subject, uint256 rights, uint256 expiry) external {
        (address author, address account) = _caller();
        SpaceRecord storage record = _administered(space);
        if (subject == address(0)) revert MemoryRulesInvalidAddress(subject);
        if (subject == record.owner || subject == author || subject == account) {
            revert MemoryRulesSelfGrant(space, subject);
        }
        if (rights == 0 || rights > MemoryRights.ALL) revert MemoryRulesInvalidRights(rights);
        if (expiry != 0 && (expiry <= block.timestamp || expiry > type(uint40).max)) {
            revert MemoryRulesInvalidExpiry(expiry);
        }
        uint256 held = _granted(space, subject, record.epoch);
        if ((rights | held) & MemoryRights.ADMIN != 0) {
            _checkOwner(record, space, author, account);
        }
        _grants[space][subject] = GrantRecord({
            by: author,
            expiry: uint40(expiry),
            epoch: record.epoch,
            rights: uint8(rights)
        });
        emit Granted(space, subject, rights, expiry, author);
    }

    /// @inheritdoc IMemoryRules
    function revoke(bytes32 space, address subject) external {
        (address author, address account) = _caller();
        bool own = (subject == author || subject == account) && _grants[space][subject].rights != 0;
        if (!own) {
            SpaceRecord storage record = _administered(space);
            if (_granted(space, subject, record.epoch) & MemoryRights.ADMIN != 0) {
                _checkOwner(record, space, author, account);
            }
        }
        delete _grants[space][subject];
        emit Revoked(space, subject, author);
    }

    /// @inheritdoc IMemoryRules
    function freeze(bytes32 space) external {
        (address author, ) = _caller();
        _administered(space).flags |= FROZEN;
        emit SpaceFrozen(space, author, false);
    }

    /// @inheritdoc IMemoryRules
    function unfreeze(bytes32 space) external {
        (address author, ) = _caller();
        _administered(space).flags &= ~FROZEN;
        emit SpaceUnfrozen(space, author, false);
    }

    /// @inheritdoc IMemoryRules
    function setFrozenByGovernors(bytes32 space, bool frozen) external restricted {
        SpaceRecord storage record = _existing(space, address(0));
        if (frozen) {
            record.flags |= FROZEN_BY_GOVERNORS;
            emit SpaceFrozen(space, msg.sender, true);
        } else {
            record.flags &= ~FROZEN_BY_GOVERNORS;
            emit SpaceUnfrozen(space, msg.sender, true);
        }
    }

    /// @inheritdoc IMemoryRules
    function setLimits(uint64 maxEntries, uint64 maxBytes) external restricted {
        _setLimits(maxEntries, maxBytes);
    }

    /// @inheritdoc IMemoryRules
    function link(bytes32 x, bytes32 y) external returns (address author, address account) {
        if (!_onCurve(uint256(x), uint256(y))) revert MemoryRulesInvalidKey(x, y);
        author = address(uint160(uint256(keccak256(abi.encodePacked(x, y)))));
        uint8 parity = uint256(y) & 1 == 0 ? 2 : 3;
        bytes32 digest = sha256(abi.encodePacked(parity, x));
        account = address(ripemd160(abi.encodePacked(digest)));
        _accounts[author] = account;
        emit AddressLinked(author, account);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IMemoryRules
    function spaceOf(bytes32 space) external view returns (Space memory) {
        SpaceRecord storage record = _spaces[space];
        uint8 flags = record.flags;
        return
            Space({
                owner: record.owner,
                mode: record.mode,
                personal: flags & PERSONAL != 0,
                frozen: flags & FROZEN != 0,
                frozenByGovernors: flags & FROZEN_BY_GOVERNORS != 0,
                epoch: record.epoch,
                createdHeight: record.createdHeight,
                policy: record.policy,
                maxEntries: record.maxEntries,
                maxBytes: record.maxBytes,
                entries: record.entries,
                size: record.size
            });
    }

    /// @inheritdoc IMemoryRules
    function grantOf(bytes32 space, address subject) external view returns (Grant memory) {
        GrantRecord storage record = _grants[space][subject];
        if (record.rights == 0 || record.epoch != _spaces[space].epoch) return Grant(0, 0, address(0));
        return Grant({rights: record.rights, expiry: record.expiry, by: record.by});
    }

    /// @inheritdoc IMemoryRules
    function rightsOf(bytes32 space, address subject) external view returns (uint256) {
        return _rights(_spaces[space], space, subject, accountOf(subject));
    }

    /// @inheritdoc IMemoryRules
    function limits() external view returns (uint64 maxEntries, uint64 maxBytes) {
        return (_limits.maxEntries, _limits.maxBytes);
    }

    /// @inheritdoc IMemoryRules
    function windowOf(
        bytes32 space,
        address author
    ) external view returns (uint256 hourWrites, uint256 hourBytes, uint256 dayWrites, uint256 dayBytes) {
        Window memory window = _window(space, author);
        return (window.hourWrites, window.hourBytes, window.dayWrites, window.dayBytes);
    }

    /// @inheritdoc IMemoryRules
    function accountOf(address author) public view returns (address) {
        address account = _accounts[author];
        return account == address(0) ? author : account;
    }

    /// @inheritdoc IMemoryRules
    function personalSpaceOf(address account) public pure returns (bytes32) {
        return sha256(abi.encodePacked("metatron/space/personal/", account));
    }

    // ------------------------------------------------------------------ inside

    /// @dev Who calls: the sender, or the author that this contract itself calls for.
    function _caller() internal view returns (address author, address account) {
        if (msg.sender != address(this)) return (msg.sender, accountOf(msg.sender));
        uint256 end = msg.data.length;
        author = address(bytes20(msg.data[end - 40:end - 20]));
        account = address(bytes20(msg.data[end - 20:]));
    }

    /// @dev A space that exists, or the personal space of `account`, which then comes to be.
    function _existing(bytes32 space, address account) internal returns (SpaceRecord storage record) {
        record = _spaces[space];
        if (record.owner != address(0)) return record;
        if (account == address(0) || space != personalSpaceOf(account)) revert MemoryRulesUnknownSpace(space);
        (uint256 head, uint256 usage) = _personal(account);
        assembly ("memory-safe") {
            sstore(record.slot, head)
            sstore(add(record.slot, 1), usage)
        }
    }

    /// @dev The first two slots of a new personal space: its owner's, with the quotas that the limits allow.
    function _personal(address account) internal view returns (uint256 head, uint256 usage) {
        head =
            uint160(account) |
            (uint256(uint40(block.number)) << HEIGHT_SHIFT) |
            (uint256(PERSONAL) << FLAGS_SHIFT);
        usage = _limits.maxEntries | (uint256(_limits.maxBytes) << 64);
    }

    /// @dev A space in which the caller has ADMIN.
    function _administered(bytes32 space) private returns (SpaceRecord storage record) {
        (address author, address account) = _caller();
        record = _existing(space, account);
        uint256 held = _rights(record, space, author, account);
        if (held & MemoryRights.ADMIN == 0) {
            revert MemoryRulesNotGranted(space, author, MemoryRights.ADMIN, held);
        }
    }

    function _checkOwner(
        SpaceRecord storage record,
        bytes32 space,
        address author,
        address account
    ) private view {
        address owner = record.owner;
        if (owner != author && owner != account) revert MemoryRulesNotOwner(space, author);
    }

    function _rights(
        SpaceRecord storage record,
        bytes32 space,
        address author,
        address account
    ) private view returns (uint256 held) {
        address owner = record.owner;
        if (owner == address(0)) return 0;
        if (owner == author || owner == account) return MemoryRights.ALL;
        held = record.mode == MemoryModes.PUBLIC ? MemoryRights.READ : 0;
        held |= _granted(space, author, record.epoch);
        if (account != author) held |= _granted(space, account, record.epoch);
    }

    /// @dev What a grant gives now.
    function _granted(bytes32 space, address subject, uint32 epoch) private view returns (uint256) {
        GrantRecord storage record = _grants[space][subject];
        if (record.rights == 0 || record.epoch != epoch) return 0;
        return record.expiry == 0 || record.expiry > block.timestamp ? record.rights : 0;
    }

    /// @dev What an author wrote in the present hour and day.
    function _window(bytes32 space, address author) internal view returns (Window memory window) {
        window = _windows[space][author];
        uint32 hour = uint32(block.timestamp / 1 hours);
        if (window.hour == hour) return window;
        if (window.hour / 24 != hour / 24) {
            window.dayWrites = 0;
            window.dayBytes = 0;
        }
        window.hour = hour;
        window.hourWrites = 0;
        window.hourBytes = 0;
    }

    function _setTerms(
        SpaceRecord storage record,
        uint8 mode,
        address policy,
        uint64 maxEntries,
        uint64 maxBytes
    ) private {
        if (mode > MemoryModes.SEALED) revert MemoryRulesInvalidMode(mode);
        if (maxEntries > _limits.maxEntries) revert MemoryRulesQuotaAboveLimit(maxEntries, _limits.maxEntries);
        if (maxBytes > _limits.maxBytes) revert MemoryRulesQuotaAboveLimit(maxBytes, _limits.maxBytes);
        record.mode = mode;
        record.flags = policy == address(0) ? record.flags & ~HAS_POLICY : record.flags | HAS_POLICY;
        record.policy = policy;
        record.maxEntries = maxEntries;
        record.maxBytes = maxBytes;
    }

    function _setLimits(uint64 maxEntries, uint64 maxBytes) private {
        _limits = Limits(maxEntries, maxBytes);
        emit LimitsChanged(maxEntries, maxBytes);
    }

    /// @dev Whether y² = x³ + 7 in the field, so that a key can exist at all.
    function _onCurve(uint256 x, uint256 y) private pure returns (bool) {
        if (x >= FIELD || y >= FIELD) return false;
        uint256 cube = mulmod(mulmod(x, x, FIELD), x, FIELD);
        return mulmod(y, y, FIELD) == addmod(cube, 7, FIELD);
    }
}
