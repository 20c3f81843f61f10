// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {LEDGER_ACCESS} from "../SystemAddresses.sol";

/**
 * @title Those who govern the ledger's contracts: two thirds of them decide.
 *
 * A proposal is a call that {LedgerAccess} makes: a member proposes it, members approve it, anyone schedules
 * it once two thirds approve, and anyone executes it after the delay, if two thirds still approve.
 *
 * Upholds: nothing is scheduled or executed that two thirds of the present members do not approve; a change
 * of members, which is a proposal too, voids all proposals before it.
 */
contract Governors is AccessManaged {
    struct Proposal {
        address target;
        uint32 term;
        uint32 approvals;
        bytes data;
    }

    /// @notice Most members.
    uint256 public constant MAX_MEMBERS = 100;

    /// @dev Grows with every change of members.
    uint32 private _term;
    address[] private _members;
    Proposal[] private _proposals;
    mapping(uint32 term => mapping(address account => bool)) private _isMember;
    mapping(uint256 proposal => mapping(address member => bool)) private _approved;

    /// @dev Not a member.
    error GovernorsNotMember(address account);
    /// @dev None, too many, zero, or not in ascending order without repeats.
    error GovernorsInvalidMembers();
    error GovernorsUnknownProposal(uint256 proposal);
    /// @dev The members have changed since it was proposed.
    error GovernorsVoidProposal(uint256 proposal);
    error GovernorsAlreadyApproved(uint256 proposal, address member);
    error GovernorsNotApproved(uint256 proposal, address member);
    error GovernorsTooFewApprovals(uint256 proposal, uint256 approvals, uint256 needed);

    event MembersChanged(uint32 indexed term, address[] members);
    event Proposed(uint256 indexed proposal, address indexed member, address target, bytes data);
    event Approved(uint256 indexed proposal, address indexed member);
    event Withdrawn(uint256 indexed proposal, address indexed member);

    modifier onlyMember() {
        if (!isMember(msg.sender)) revert GovernorsNotMember(msg.sender);
        _;
    }

    /// @param initial The first members, in ascending order.
    constructor(address[] memory initial) AccessManaged(LEDGER_ACCESS) {
        _setMembers(initial);
    }

    /// @notice Proposes a call, and approves it.
    function propose(
        address target,
        bytes calldata data
    ) external onlyMember returns (uint256 proposal) {
        proposal = _proposals.length;
        _proposals.push(Proposal({target: target, term: _term, approvals: 0, data: data}));
        emit Proposed(proposal, msg.sender, target, data);
        approve(proposal);
    }

    /// @notice Withdraws an approval.
    function withdraw(uint256 proposal) external onlyMember {
        Proposal storage record = _standing(proposal);
        if (!_approved[proposal][msg.sender]) revert GovernorsNotApproved(proposal, msg.sender);
        _approved[proposal][msg.sender] = false;
        --record.approvals;
        emit Withdrawn(proposal, msg.sender);
    }

    /// @notice Starts the delay of an approved proposal.
    function schedule(uint256 proposal) external {
        Proposal storage record = _carried(proposal);
        IAccessManager(authority()).schedule(record.target, record.data, 0);
    }

    /// @notice Makes the call of an approved proposal whose delay is over.
    function execute(uint256 proposal) external {
        Proposal storage record = _carried(proposal);
        IAccessManager(authority()).execute(record.target, record.data);
    }

    /// @notice Replaces the members; all proposals are void. Only for governance.
    /// @param members_ The new members, in ascending order.
    function setMembers(address[] calldata members_) external restricted {
        _setMembers(members_);
    }

    /// @notice The members.
    function members() external view returns (address[] memory) {
        return _members;
    }

    /// @notice A proposal.
    function proposalAt(uint256 proposal) external view returns (Proposal memory) {
        return _existing(proposal);
    }

    /// @notice How many proposals were made.
    function proposals() external view returns (uint256) {
        return _proposals.length;
    }

    /// @notice Approves a proposal.
    function approve(uint256 proposal) public onlyMember {
        Proposal storage record = _standing(proposal);
        if (_approved[proposal][msg.sender]) revert GovernorsAlreadyApproved(proposal, msg.sender);
        _approved[proposal][msg.sender] = true;
        ++record.approvals;
        emit Approved(proposal, msg.sender);
    }

    /// @notice How many members must approve: two thirds, rounded up.
    function needed() public view returns (uint256) {
        return (2 * _members.length + 2) / 3;
    }

    /// @notice Whether an account is a member.
    function isMember(address account) public view returns (bool) {
        return _isMember[_term][account];
    }

    function _setMembers(address[] memory list) private {
        uint32 term = ++_term;
        if (list.length == 0 || list.length > MAX_MEMBERS) revert GovernorsInvalidMembers();
        address last = address(0);
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i] <= last) revert GovernorsInvalidMembers();
            last = list[i];
            _isMember[term][last] = true;
        }
        _members = list;
        emit MembersChanged(term, list);
    }

    function _existing(uint256 proposal) private view returns (Proposal storage) {
        if (proposal >= _proposals.length) revert GovernorsUnknownProposal(proposal);
        return _proposals[proposal];
    }

    /// @dev A proposal of the present members.
    function _standing(uint256 proposal) private view returns (Proposal storage record) {
        record = _existing(proposal);
        if (record.term != _term) revert GovernorsVoidProposal(proposal);
    }

    /// @dev A proposal that two thirds of the present members approve.
    function _carried(uint256 proposal) private view returns (Proposal storage record) {
        record = _standing(proposal);
        uint256 least = needed();
        if (record.approvals < least) {
            revert GovernorsTooFewApprovals(proposal, record.approvals, least);
        }
    }
}
