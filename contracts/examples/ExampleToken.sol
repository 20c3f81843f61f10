// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/**
 * @title ExampleToken
 * @notice OpenZeppelin's ERC-20 as it is, with some holders: what scripts/deploy.ts deploys and
 * `metatron bench --app evm-erc20` measures.
 */
contract ExampleToken is ERC20 {
    /// @param holders who gets tokens
    /// @param amount how many each of them gets
    constructor(address[] memory holders, uint256 amount) ERC20("Example", "EXAMPLE") {
        for (uint256 i = 0; i < holders.length; ++i) {
            _mint(holders[i], amount);
        }
    }
}
