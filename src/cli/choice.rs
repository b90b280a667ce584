//! The names that choices have on this command line.

use crate::Choice;

/// What a person types for `choice`.
pub(crate) fn name(choice: &Choice) -> String {
    let name = match choice {
        Choice::AcceptUnknown => "--accept-unknown",
        Choice::Acl => "--acl",
        Choice::Backup => "lifeboat backup",
        Choice::BackupOf(url) => return format!("lifeboat backup --url {url} --output NEW"),
        Choice::Compact => "--compact",
        Choice::Create => "--create",
        Choice::DisableTriggers => "--disable-triggers",
        Choice::Disconnect => "--disconnect",
        Choice::DropDependents => "--drop-dependents",
        Choice::Force => "--force",
        Choice::Globals => "lifeboat backup --globals",
        Choice::Inserts => "--inserts",
        Choice::Jobs(None) => "--jobs",
        Choice::Jobs(Some(jobs)) => return format!("--jobs {jobs}"),
        Choice::List => "--use-list",
        Choice::LockWait => "--lock-wait-timeout",
        Choice::NoClean => "--no-clean",
        Choice::NoOwner => "--no-owner",
        Choice::NoRolePasswords => "--no-role-passwords",
        Choice::NoSubscriptions => "--no-subscriptions",
        Choice::NoUserMappings => "--no-user-mappings",
        Choice::NoVerify => "--no-verify",
        Choice::Output => "--output FILE",
        Choice::Owner => "--owner",
        Choice::PauseReplay => "--pause-replay",
        Choice::Preview => "--dry-run",
        Choice::Report => "--json",
        Choice::Role => "--role",
        Choice::Script => "--script",
        Choice::Swap => "--swap",
        Choice::Tables => "--table",
        Choice::TransactionSize => "--transaction-size",
        Choice::Url => "--url",
        Choice::Verify => "lifeboat verify",
    };
    name.to_owned()
}
