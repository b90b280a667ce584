//! What of the objects goes into a backup or out of it: options that backup and restore have in common, as pg_dump and
//! pg_restore have.

use clap::ValueEnum;

use crate::postgres::archive::{Included, Sections};

/// A section of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Section {
    PreData,
    Data,
    PostData,
}

#[derive(Debug, Clone, clap::Args)]
pub(super) struct IncludedArgs {
    /// Definitions only, no data
    #[arg(long, short = 's', conflicts_with_all = ["data_only", "statistics_only", "no_schema", "statistics"])]
    pub(super) schema_only: bool,
    /// Data only, no definitions
    #[arg(long, short = 'a', conflicts_with_all = ["statistics_only", "no_data", "statistics"])]
    pub(super) data_only: bool,
    /// The planner's statistics only
    #[arg(long, conflicts_with = "no_statistics")]
    statistics_only: bool,
    /// No definitions
    #[arg(long)]
    no_schema: bool,
    /// No data
    #[arg(long)]
    no_data: bool,
    /// The planner's statistics too (the default of a restore, where the archive has them)
    #[arg(long, conflicts_with = "no_statistics")]
    statistics: bool,
    /// No statistics of the planner's (the default of a backup)
    #[arg(long)]
    no_statistics: bool,
    /// This section only; may be given several times
    #[arg(long, value_name = "SECTION")]
    section: Vec<Section>,
    /// No comments
    #[arg(long)]
    no_comments: bool,
    /// No row security and its policies
    #[arg(long)]
    no_policies: bool,
    /// No publications
    #[arg(long)]
    no_publications: bool,
    /// No security labels
    #[arg(long)]
    no_security_labels: bool,
    /// No subscriptions
    #[arg(long)]
    no_subscriptions: bool,
}

impl IncludedArgs {
    /// What they come to. `statistics` is whether those are wanted if nothing is said about
    /// them, and `acl` whether privileges are.
    pub(super) fn included(&self, statistics: bool, acl: bool) -> Included {
        let only = self.schema_only || self.data_only || self.statistics_only;
        let has = |section| self.section.is_empty() || self.section.contains(&section);
        Included {
            schema: (!only || self.schema_only) && !self.no_schema,
            data: (!only || self.data_only) && !self.no_data,
            statistics: (statistics && !only || self.statistics_only || self.statistics) && !self.no_statistics,
            sections: Sections {
                pre_data: has(Section::PreData),
                data: has(Section::Data),
                post_data: has(Section::PostData),
            },
            sequence_data: false,
            extended_statistics: true,
            acl,
            comments: !self.no_comments,
            policies: !self.no_policies,
            publications: !self.no_publications,
            security_labels: !self.no_security_labels,
            subscriptions: !self.no_subscriptions,
        }
    }
}
