//! What a verify tells while it works.

/// Something that happened, for whoever watches. Lanes run side by side; each takes one step after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many more steps are ahead. What is announced early makes the estimate right early.
    Announced {
        /// How many.
        n_steps: usize,
    },
    /// A lane begins its next step.
    StepStarted {
        /// The lane, as it is shown: `MySQL 8.4.6, with rows`. Two that run at the same time have different names.
        lane: String,
        /// What the step is about, such as a file's name.
        subject: String,
    },
    /// The lane's step is over.
    StepFinished {
        /// The lane.
        lane: String,
        /// How many findings it added.
        n_findings: usize,
    },
}
