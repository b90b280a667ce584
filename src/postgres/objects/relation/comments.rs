//! Comments on and security labels of relations and their columns.

use bstr::{BStr, BString, ByteSlice};

use super::{Relation, TableCheck};
use crate::error::Result;
use crate::postgres::emit::{Emitter, NewEntry, Render, Subject};
use crate::postgres::model::{Components, Object};

impl Relation {
    /// Adds the comments on the relation, its columns and the constraints that are part of its definition, and the
    /// security labels of the relation and its columns; for all but sequences.
    pub(super) fn emit_comments_and_labels(
        &self,
        object: &Object,
        render: &Render<'_>,
        out: &mut Emitter,
    ) -> Result<()> {
        self.emit_comments(object, render, out)?;
        self.emit_labels(object, render, out)?;
        let mut of_constraint = |constraint: &BStr, text: &BStr| {
            let part = ("CONSTRAINT", constraint, " ON ");
            out.comment_on_part(render, object.id, part, object, self.owner.as_bstr(), text);
        };
        if render.options.comments {
            for not_null in self.columns.iter().filter_map(|column| column.not_null.as_ref()) {
                if let (Some(name), Some(comment)) = (&not_null.name, &not_null.comment) {
                    of_constraint(name.as_bstr(), comment.as_bstr());
                }
            }
        }
        for check in self.checks.iter().filter_map(|id| render.model.get(*id)) {
            let is_inline = check.body::<TableCheck>().is_some_and(|check| !check.separate && check.local);
            if let Some(text) = render.comment(check).filter(|_| is_inline) {
                of_constraint(check.name.as_bstr(), text);
            }
        }
        Ok(())
    }

    fn emit_comments(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        if !object.dumped().has(Components::COMMENT) || !render.options.comments {
            return Ok(());
        }
        let schema = render.model.schema_name(object);
        let comments = object.catalog_id.and_then(|id| render.model.comments.get(&id));
        for comment in comments.into_iter().flatten() {
            let mut name = Self::name(object, render);
            // A system column can have a comment as well; pg_dump forgets it.
            let mut words = self.kind.words();
            if comment.sub_id != 0 {
                words = "COLUMN";
                name.kw(".").ident(self.column_name(comment.sub_id, object)?);
            }
            let subject = Subject { words, schema, name: &name, owner: self.owner.as_bstr() };
            out.comment_text(render, object.id, &subject, Some(comment.text.as_bstr()));
        }
        Ok(())
    }

    /// All labels are one entry.
    fn emit_labels(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        if !object.dumped().has(Components::LABEL) || !render.options.security_labels {
            return Ok(());
        }
        let mut sql = render.sql();
        let labels = object.catalog_id.and_then(|id| render.model.labels.get(&id));
        for label in labels.into_iter().flatten() {
            sql.kw("SECURITY LABEL FOR ").ident(label.provider.as_bstr()).kw(" ON ");
            if label.sub_id == 0 {
                sql.kw(self.kind.words()).kw(" ").sql(&render.qualified(object));
            } else {
                sql.kw("COLUMN ").sql(&render.qualified(object)).kw(".").ident(self.column_name(label.sub_id, object)?);
            }
            sql.kw(" IS ").literal(label.label.as_bstr()).kw(";\n");
        }
        if !sql.is_empty() {
            let mut tag = render.sql();
            tag.kw(self.kind.words()).kw(" ").ident(object.name.as_bstr());
            let mut entry = NewEntry::about(object.id, "SECURITY LABEL", tag.into_bstring());
            entry.schema = render.model.schema_name(object).map(BString::from);
            entry.owner = Some(self.owner.clone());
            entry.definition = sql;
            out.entry(entry);
        }
        Ok(())
    }
}
