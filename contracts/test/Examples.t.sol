// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EditorialPolicy} from "../examples/EditorialPolicy.sol";
import {IMemoryRules} from "../interfaces/IMemoryRules.sol";
import {LedgerTest} from "./LedgerTest.sol";

/// @dev The worked example: refused, satisfied, allowed.
contract ExamplesTest is LedgerTest {
    function testAnEditorialPolicyIsRefusedSatisfiedAllowed() public {
        vm.prank(ALICE);
        EditorialPolicy policy = new EditorialPolicy(200);
        bytes32 space = _space(address(policy));
        _put(space, ALICE, ALICE_NATIVE);
        _refuse(
            _reason(space, policy, abi.encodeWithSelector(EditorialPolicy.EditorialNotEditor.selector, ALICE))
        );
        vm.prank(BOB);
        vm.expectRevert(
            abi.encodeWithSelector(EditorialPolicy.EditorialNotPublisher.selector, BOB)
        );
        policy.setEditor(ALICE, true);
        vm.prank(ALICE);
        policy.setEditor(ALICE_NATIVE, true);
        _put(space, ALICE, ALICE_NATIVE);
        _allow();
        _tx();
        _step(space, ALICE, ALICE_NATIVE);
        _op(1, 201);
        _refuse(
            _reason(
                space,
                policy,
                abi.encodeWithSelector(EditorialPolicy.EditorialTooLong.selector, 201, 200)
            )
        );
    }

    function _reason(
        bytes32 space,
        EditorialPolicy policy,
        bytes memory inner
    ) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(
                IMemoryRules.MemoryRulesPolicyRefused.selector,
                space,
                policy,
                inner
            );
    }
}
