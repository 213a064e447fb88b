//! Lists in pages, in the shape that GraphQL clients know.

use std::{borrow::Cow, sync::Arc};

use async_graphql::{OutputType, SimpleObject, TypeName};

use super::{
    error::{Refused, Result},
    scalar::some,
};
use crate::{domain::limits, error::Error};

/// One page of a list.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub(super) struct Connection<T: OutputType> {
    /// The nodes with their cursors.
    edges: Vec<Edge<T>>,
    /// The same nodes without.
    nodes: Vec<Arc<T>>,
    /// Where the page stands in its list.
    page_info: PageInfo,
}

impl<T: OutputType> TypeName for Connection<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", T::type_name()).into()
    }
}

/// A node of a list.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub(super) struct Edge<T: OutputType> {
    /// Send it as `after`, with the same other arguments, to go on behind this node. Only the last
    /// node of a page that is not the last page has one: lists go on behind pages, not inside them.
    cursor: Option<String>,
    /// The node.
    node: Arc<T>,
}

impl<T: OutputType> TypeName for Edge<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", T::type_name()).into()
    }
}

/// Where a page stands in its list.
#[derive(SimpleObject)]
pub(super) struct PageInfo {
    /// Whether there is a further page. It may turn out to be empty.
    has_next_page: bool,
    /// Whether this page was asked for by `after`. Lists are read forwards only.
    has_previous_page: bool,
    /// The cursor of the first edge, if it has one.
    start_cursor: Option<String>,
    /// The cursor of the last edge: send it as `after`, with the same other arguments, for the next
    /// page. Null on the last page.
    end_cursor: Option<String>,
}

/// Which page is asked for.
pub(super) struct Page {
    /// For the field page_size.
    pub(super) size: i32,
    /// For the field page_token.
    pub(super) token: String,
}

impl Page {
    /// By the arguments that every list has.
    pub(super) fn of(first: Option<i32>, after: Option<String>) -> Result<Self> {
        let known = first.is_none_or(|first| {
            usize::try_from(first).is_ok_and(|first| (1..=limits::PAGE_MAX).contains(&first))
        });
        if !known {
            let (field, problem) = ("first", "send 1 to 1000, or nothing for 100");
            return Err(Error::Argument { field, problem }.into());
        }
        Ok(Self {
            size: first.unwrap_or_default(),
            token: after.unwrap_or_default(),
        })
    }

    /// This page with what the service sent.
    pub(super) fn holds<M, T>(self, sent: Vec<M>, next_token: String) -> Result<Connection<T>>
    where
        T: OutputType + TryFrom<M>,
        Refused: From<T::Error>,
    {
        let nodes = sent
            .into_iter()
            .map(|node| Ok(Arc::new(T::try_from(node)?)));
        let nodes: Vec<Arc<T>> = nodes.collect::<Result<_>>()?;
        let end_cursor = some(next_token);
        let edge = |(at, node): (usize, &Arc<T>)| Edge {
            cursor: end_cursor.clone().filter(|_| at + 1 == nodes.len()),
            node: Arc::clone(node),
        };
        let edges: Vec<_> = nodes.iter().enumerate().map(edge).collect();
        Ok(Connection {
            page_info: PageInfo {
                has_next_page: end_cursor.is_some(),
                has_previous_page: !self.token.is_empty(),
                start_cursor: edges.first().and_then(|edge| edge.cursor.clone()),
                end_cursor,
            },
            edges,
            nodes,
        })
    }
}
