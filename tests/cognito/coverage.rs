//! What of Cognito's model is built, by tier (contract cognito (a)), and that the table and the model agree.

use std::collections::BTreeSet;

use cognate::api::cognito::{Who, built, known};

const TIER_1: &str = "SignUp ConfirmSignUp ResendConfirmationCode InitiateAuth RespondToAuthChallenge ForgotPassword
    ConfirmForgotPassword GetTokensFromRefreshToken RevokeToken AssociateSoftwareToken VerifySoftwareToken GetUser
    UpdateUserAttributes DeleteUserAttributes GetUserAttributeVerificationCode VerifyUserAttribute ChangePassword
    DeleteUser GlobalSignOut SetUserMFAPreference AdminCreateUser AdminGetUser AdminDeleteUser
    AdminUpdateUserAttributes AdminDeleteUserAttributes AdminSetUserPassword AdminResetUserPassword AdminConfirmSignUp
    AdminEnableUser AdminDisableUser AdminInitiateAuth AdminRespondToAuthChallenge AdminUserGlobalSignOut
    AdminSetUserMFAPreference AdminAddUserToGroup AdminRemoveUserFromGroup AdminListGroupsForUser ListUsers
    ListUsersInGroup CreateGroup GetGroup UpdateGroup DeleteGroup ListGroups CreateUserPool DescribeUserPool
    UpdateUserPool DeleteUserPool ListUserPools AddCustomAttributes GetUserPoolMfaConfig SetUserPoolMfaConfig
    CreateUserPoolClient DescribeUserPoolClient UpdateUserPoolClient DeleteUserPoolClient ListUserPoolClients";
const TIER_3: &str = "AdminListUserAuthEvents AdminUpdateAuthEventFeedback UpdateAuthEventFeedback
    DescribeRiskConfiguration SetRiskConfiguration GetUICustomization SetUICustomization CreateManagedLoginBranding
    UpdateManagedLoginBranding DeleteManagedLoginBranding DescribeManagedLoginBranding
    DescribeManagedLoginBrandingByClient CreateTerms DescribeTerms UpdateTerms DeleteTerms ListTerms
    DescribeTermsByClient GetLogDeliveryConfiguration SetLogDeliveryConfiguration CreateUserPoolReplica
    UpdateUserPoolReplica DeleteUserPoolReplica ListUserPoolReplicas GetProvisionedLimit UpdateProvisionedLimit";
/// The model has them as signed; the documentation says that a client's secret opens them.
const SIGNED_OR_NOT: [&str; 2] = ["GetClientToken", "GetDerivedToken"];

#[test]
fn how_much_of_the_model_is_built() {
    let all: BTreeSet<&str> = known().into_iter().map(|(name, _)| name).collect();
    let ours: BTreeSet<&str> = built().map(|operation| operation.name).collect();
    let [first, third]: [BTreeSet<&str>; 2] = [TIER_1, TIER_3].map(|tier| tier.split_whitespace().collect());
    assert_eq!((all.len(), first.len(), third.len()), (141, 57, 26));
    assert!(first.is_subset(&all) && third.is_subset(&all) && first.is_disjoint(&third));
    let second = all.difference(&first).copied().collect::<BTreeSet<_>>().difference(&third).copied().collect();
    for (tier, names) in [("tier 1", first), ("tier 2", second), ("tier 3", third), ("the model", all)] {
        let there = names.intersection(&ours).count();
        let missing: Vec<&str> = names.difference(&ours).copied().collect();
        println!("{tier}: {there} of {} built; not built: {}", names.len(), missing.join(" "));
    }
}

#[test]
fn every_row_is_an_operation_of_the_model_that_is_opened_as_the_model_says() {
    let known = known();
    let mut seen = BTreeSet::new();
    for operation in built() {
        let name = operation.name;
        assert!(seen.insert(name), "{name} is there twice");
        let (_, signed) = known.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("{name}"));
        assert!(SIGNED_OR_NOT.contains(&name) || *signed == (operation.who == Who::Signed), "{name}");
    }
}

#[test]
fn the_document_lists_the_operations() {
    let document = include_str!("../../openapi.yaml");
    let target = "              - AWSCognitoIdentityProviderService.";
    let listed: Vec<&str> = document.lines().filter_map(|line| line.strip_prefix(target)).collect();
    let ours: BTreeSet<&str> = built().map(|operation| operation.name).collect();
    let wanted: Vec<String> = ours.iter().map(|name| format!("{target}{name}")).collect();
    assert!(listed == ours.into_iter().collect::<Vec<_>>(), "openapi.yaml should list:\n{}", wanted.join("\n"));
}
