//! Statements as a parser reads them to statements as a policy sees them. In: syntax trees. Out: each statement with its
//! kind and the names in it, those of statements within others as elements of their own.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast;
use sqlparser::ast::{
    Expr, FromTable, ObjectName, Query, Select, SetExpr, TableFactor, TableObject, TableWithJoins,
    UpdateTableFromKind, Visit, Visitor,
};

use super::found::{Doubt, Found, Kind, Statement};
use super::implied;
use crate::limits;

/// What statements do.
pub(super) fn walk(statements: &[ast::Statement]) -> Found {
    let mut walk = Walk::default();
    for statement in statements {
        if statement.visit(&mut walk).is_break() {
            walk.found.hide(Doubt::Syntax);
        }
    }
    for statement in &mut walk.found.statements {
        let plain = matches!(
            statement.kind,
            Kind::Delete | Kind::Insert | Kind::Merge | Kind::Select | Kind::Show | Kind::Update
        );
        if plain {
            statement.tables.extend(statement.writes.iter().cloned());
        } else {
            // What these do to the names in them is not told apart.
            statement.writes.extend(statement.tables.iter().cloned());
            statement.tables.extend(statement.writes.iter().cloned());
        }
    }
    walk.found
}

/// The queries named by one `WITH`.
struct Named {
    names: Vec<String>,
    bodies: Vec<*const Query>,
    recursive: bool,
    /// How many of the names have a meaning where the walk is.
    visible: usize,
}

#[derive(Default)]
struct Walk {
    found: Found,
    /// The statements around the place of the walk, by their index.
    open: Vec<usize>,
    named: Vec<Named>,
}

impl Walk {
    fn start(&mut self, statement: Statement) {
        self.open.push(self.found.statements.len());
        self.found.statements.push(statement);
    }

    fn here(&mut self) -> Option<&mut Statement> {
        let index = self.open.last()?;
        self.found.statements.get_mut(*index)
    }

    /// Every spelling under which a list may have a name.
    fn spellings(&mut self, name: &ObjectName) -> BTreeSet<String> {
        let idents: Option<Vec<&ast::Ident>> = name.0.iter().map(|part| part.as_ident()).collect();
        match idents {
            Some(idents) => self.of_idents(&idents),
            None => {
                self.found.hide(Doubt::Dynamic);
                BTreeSet::new()
            }
        }
    }

    fn of_idents(&mut self, idents: &[&ast::Ident]) -> BTreeSet<String> {
        if idents.iter().any(|ident| ident.value.contains('.')) {
            // A dot within a name looks like one between two.
            self.found.hide(Doubt::Dialect);
        }
        let written: Vec<String> = idents.iter().copied().map(spelt).collect();
        let folded: Vec<String> = written.iter().map(|part| part.to_lowercase()).collect();
        let last = [written.last(), folded.last()];
        let last = last.into_iter().flatten().cloned();
        [written.join("."), folded.join(".")]
            .into_iter()
            .chain(last)
            .collect()
    }

    fn reads(&mut self, name: &ObjectName) {
        let names = self.spellings(name);
        if let Some(statement) = self.here() {
            statement.tables.extend(names);
        }
    }

    fn calls(&mut self, name: &ObjectName) {
        let names = self.spellings(name);
        if let Some(statement) = self.here() {
            statement.functions.extend(names);
        }
    }

    fn writes(&mut self, name: &ObjectName) {
        let names = self.spellings(name);
        if let Some(statement) = self.here() {
            statement.writes.extend(names);
        }
    }

    /// Whether a name stands for a query of a `WITH`.
    fn is_named(&self, name: &ObjectName) -> bool {
        let [part] = name.0.as_slice() else { return false };
        let Some(name) = part.as_ident().map(spelt) else {
            return false;
        };
        let seen = |named: &Named| named.names.iter().take(named.visible).any(|n| *n == name);
        self.named.iter().any(seen)
    }

    /// The tables that targets are; a target may be the other name of one of `among`.
    fn targets(&mut self, targets: &[&ObjectName], among: &[&TableWithJoins]) {
        let factors: Vec<(&ObjectName, Option<&ast::Ident>)> =
            among.iter().flat_map(|table| factors(table)).collect();
        for target in targets {
            let alias = match target.0.as_slice() {
                [part] => part.as_ident().map(spelt),
                _ => None,
            };
            let meant = factors.iter().filter(|(_, other)| {
                alias.is_some() && other.map(spelt).map(fold) == alias.clone().map(fold)
            });
            let meant: Vec<&ObjectName> = meant.map(|(name, _)| *name).collect();
            if meant.is_empty() {
                self.writes(target);
            }
            for name in meant {
                self.writes(name);
            }
        }
    }

    fn update(&mut self, update: &ast::Update) {
        let from: Vec<&TableWithJoins> = match &update.from {
            Some(UpdateTableFromKind::BeforeSet(tables) | UpdateTableFromKind::AfterSet(tables)) => {
                tables.iter().collect()
            }
            None => Vec::new(),
        };
        let targets: Vec<&ObjectName> = factors(&update.table).into_iter().map(|(name, _)| name).collect();
        self.targets(&targets, &from);
    }

    fn delete(&mut self, delete: &ast::Delete) {
        let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
        let using = delete.using.iter().flatten();
        let among: Vec<&TableWithJoins> = from.iter().chain(using).collect();
        let first = from.iter().flat_map(factors).map(|(name, _)| name);
        let targets: Vec<&ObjectName> = if delete.tables.is_empty() {
            first.collect()
        } else {
            delete.tables.iter().collect()
        };
        self.targets(&targets, &among);
        if targets.is_empty() {
            self.found.hide(Doubt::Syntax);
        }
    }

    /// Names that only this kind of statement has in this place.
    fn own_names(&mut self, statement: &ast::Statement) {
        match statement {
            ast::Statement::Insert(insert) => match &insert.table {
                TableObject::TableName(name) => self.writes(name),
                _ => self.found.hide(Doubt::Syntax),
            },
            ast::Statement::Update(update) => self.update(update),
            ast::Statement::Delete(delete) => self.delete(delete),
            ast::Statement::Merge(merge) => match &merge.table {
                TableFactor::Table { name, .. } => self.writes(name),
                _ => self.found.hide(Doubt::Syntax),
            },
            ast::Statement::Drop { names, table, .. } => {
                names.iter().chain(table).for_each(|n| self.writes(n))
            }
            ast::Statement::RenameTable(renames) => {
                for rename in renames {
                    self.writes(&rename.old_name);
                    self.writes(&rename.new_name);
                }
            }
            ast::Statement::Copy {
                source: ast::CopySource::Table { table_name, .. },
                ..
            } => self.writes(table_name),
            ast::Statement::Call(function) => self.calls(&function.name),
            ast::Statement::Execute { name, .. } => {
                name.iter().for_each(|name| self.calls(name));
                self.found.hide(Doubt::Dynamic);
            }
            _ => {}
        }
    }
}

impl Visitor for Walk {
    type Break = ();

    fn pre_visit_statement(&mut self, statement: &ast::Statement) -> ControlFlow<()> {
        if self.found.statements.len() >= limits::SQL_STATEMENTS {
            return ControlFlow::Break(());
        }
        let mut new = Statement::new(kind(statement));
        new.filtered = match statement {
            ast::Statement::Update(update) => names_column(update.selection.as_ref()),
            ast::Statement::Delete(delete) => names_column(delete.selection.as_ref()),
            ast::Statement::Query(query) => match &*query.body {
                SetExpr::Select(select) => names_column(select.selection.as_ref()),
                _ => false,
            },
            _ => false,
        };
        self.start(new);
        self.own_names(statement);
        ControlFlow::Continue(())
    }

    fn post_visit_statement(&mut self, _: &ast::Statement) -> ControlFlow<()> {
        self.open.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if let Some(around) = self.named.last_mut()
            && let Some(index) = around.bodies.iter().position(|body| std::ptr::eq(*body, query))
            && !around.recursive
        {
            around.visible = index;
        }
        let ctes = query.with.iter().flat_map(|with| &with.cte_tables);
        let names: Vec<String> = ctes.clone().map(|cte| spelt(&cte.alias.name)).collect();
        self.named.push(Named {
            visible: names.len(),
            names,
            bodies: ctes.map(|cte| std::ptr::from_ref(&*cte.query)).collect(),
            recursive: query.with.as_ref().is_some_and(|with| with.recursive),
        });
        self.tables_of(&query.body);
        if !query.locks.is_empty() {
            // Others wait for the rows, as they do after a LOCK TABLE.
            self.found.statements.push(Statement::new(Kind::Other));
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.named.pop();
        if let Some(around) = self.named.last_mut()
            && around.bodies.iter().any(|body| std::ptr::eq(*body, query))
        {
            around.visible = around.names.len();
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        if select.into.is_some() {
            // Into a table, a variable or a file: which of them is the database's to say.
            self.found.hide(Doubt::Dialect);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        if !self.is_named(relation) {
            self.reads(relation);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table {
                name, args: Some(_), ..
            } => self.calls(name),
            TableFactor::Function { name, .. } => {
                self.calls(name);
                self.reads(name);
            }
            TableFactor::Table { .. }
            | TableFactor::Derived { .. }
            | TableFactor::TableFunction { .. }
            | TableFactor::UNNEST { .. }
            | TableFactor::JsonTable { .. }
            | TableFactor::NestedJoin { .. } => {}
            _ => self.found.hide(Doubt::Dialect),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr {
            self.calls(&function.name);
        }
        for name in implied::called(expr) {
            let names = self.of_idents(&name.iter().collect::<Vec<_>>());
            if let Some(statement) = self.here() {
                statement.functions.extend(names);
            }
        }
        if implied::sets(expr) {
            self.found.statements.push(Statement::new(Kind::Set));
        }
        ControlFlow::Continue(())
    }
}

impl Walk {
    /// `TABLE name` in the place of a SELECT.
    fn tables_of(&mut self, body: &SetExpr) {
        match body {
            SetExpr::Table(table) => {
                let idents: Vec<&ast::Ident> = table.schema_name.iter().chain(&table.table_name).collect();
                let names = self.of_idents(&idents);
                if let Some(statement) = self.here() {
                    statement.tables.extend(names);
                }
            }
            SetExpr::SetOperation { left, right, .. } => {
                self.tables_of(left);
                self.tables_of(right);
            }
            _ => {}
        }
    }
}

/// A name as databases compare it: without quotes in small letters, in quotes as it is.
fn spelt(ident: &ast::Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_lowercase(),
    }
}

fn fold(name: String) -> String {
    name.to_lowercase()
}

/// The tables of a FROM, each with its other name.
fn factors(table: &TableWithJoins) -> Vec<(&ObjectName, Option<&ast::Ident>)> {
    fn factor<'a>(factor: &'a TableFactor, out: &mut Vec<(&'a ObjectName, Option<&'a ast::Ident>)>) {
        match factor {
            TableFactor::Table { name, alias, .. } => {
                out.push((name, alias.as_ref().map(|alias| &alias.name)))
            }
            TableFactor::NestedJoin { table_with_joins, .. } => tables(table_with_joins, out),
            _ => {}
        }
    }
    fn tables<'a>(table: &'a TableWithJoins, out: &mut Vec<(&'a ObjectName, Option<&'a ast::Ident>)>) {
        factor(&table.relation, out);
        table.joins.iter().for_each(|join| factor(&join.relation, out));
    }
    let mut out = Vec::new();
    tables(table, &mut out);
    out
}

/// Whether a condition names a column at all, unlike `1 = 1`.
fn names_column(condition: Option<&Expr>) -> bool {
    struct Column;
    impl Visitor for Column {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                // SQL Server has no truth values, and its reader takes their names for columns.
                Expr::Identifier(ident) if matches!(spelt(ident).as_str(), "true" | "false") => {
                    ControlFlow::Continue(())
                }
                Expr::Identifier(_) | Expr::CompoundIdentifier(_) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    condition.is_some_and(|condition| condition.visit(&mut Column).is_break())
}

fn kind(statement: &ast::Statement) -> Kind {
    use ast::Statement as S;
    match statement {
        S::Query(_) => Kind::Select,
        S::Insert(_) => Kind::Insert,
        S::Update(_) => Kind::Update,
        S::Delete(_) => Kind::Delete,
        S::Merge(_) => Kind::Merge,
        S::Truncate(_) => Kind::Truncate,
        S::Call(_) | S::Execute { .. } => Kind::Call,
        S::Explain { .. }
        | S::ExplainTable { .. }
        | S::ShowFunctions { .. }
        | S::ShowVariable { .. }
        | S::ShowStatus { .. }
        | S::ShowVariables { .. }
        | S::ShowCreate { .. }
        | S::ShowColumns { .. }
        | S::ShowCatalogs { .. }
        | S::ShowDatabases { .. }
        | S::ShowProcessList { .. }
        | S::ShowSchemas { .. }
        | S::ShowCharset(_)
        | S::ShowObjects(_)
        | S::ShowTables { .. }
        | S::ShowViews { .. }
        | S::ShowCollation { .. } => Kind::Show,
        S::Set(_)
        | S::Use(_)
        | S::Pragma { .. }
        | S::Reset(_)
        | S::Discard { .. }
        | S::AlterSession { .. } => Kind::Set,
        S::StartTransaction { .. }
        | S::Commit { .. }
        | S::Rollback { .. }
        | S::Savepoint { .. }
        | S::ReleaseSavepoint { .. } => Kind::Transaction,
        S::Grant(_)
        | S::GrantRole(_)
        | S::Deny(_)
        | S::Revoke(_)
        | S::RevokeRole(_)
        | S::AlterDefaultPrivileges(_)
        | S::CreateRole(_)
        | S::AlterRole { .. }
        | S::CreateUser(_)
        | S::AlterUser(_)
        | S::CreatePolicy(_)
        | S::AlterPolicy(_)
        | S::DropPolicy(_) => Kind::Grant,
        other => by_first_word(other),
    }
}

/// Of the many statements that make, change and remove things, the first word says which.
fn by_first_word(statement: &ast::Statement) -> Kind {
    let text = statement.to_string();
    match text.split_whitespace().next() {
        Some("CREATE") => Kind::Create,
        Some("ALTER" | "COMMENT" | "RENAME") => Kind::Alter,
        Some("DROP") => Kind::Drop,
        _ => Kind::Other,
    }
}
