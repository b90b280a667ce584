//! What of the objects goes into a backup or out of it: options that backup and restore have in common, as pg_dump and
//! pg_restore have.

use clap::ValueEnum;

use crate::postgres::restore::Sections;

/// A section of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Section {
    PreData,
    Data,
    PostData,
}

#[derive(Debug, clap::Args)]
pub(super) struct PartsArgs {
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

/// What the options come to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts {
    pub(super) schema: bool,
    pub(super) data: bool,
    pub(super) statistics: bool,
    pub(super) sections: Sections,
    pub(super) comments: bool,
    pub(super) policies: bool,
    pub(super) publications: bool,
    pub(super) security_labels: bool,
    pub(super) subscriptions: bool,
}

impl PartsArgs {
    /// What they come to. `statistics` is whether those are wanted if nothing is said about them.
    pub(super) fn parts(&self, statistics: bool) -> Parts {
        let only = self.schema_only || self.data_only || self.statistics_only;
        let has = |section| self.section.is_empty() || self.section.contains(&section);
        Parts {
            schema: (!only || self.schema_only) && !self.no_schema,
            data: (!only || self.data_only) && !self.no_data,
            statistics: (statistics && !only || self.statistics_only || self.statistics) && !self.no_statistics,
            sections: Sections {
                pre_data: has(Section::PreData),
                data: has(Section::Data),
                post_data: has(Section::PostData),
            },
            comments: !self.no_comments,
            policies: !self.no_policies,
            publications: !self.no_publications,
            security_labels: !self.no_security_labels,
            subscriptions: !self.no_subscriptions,
        }
    }
}
