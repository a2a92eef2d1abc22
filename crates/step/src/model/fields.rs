//! Fields as a tree: a whole, and its parts below it while one stands on it or in it.

use framewise::core::Field;

/// A row of the table of fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Which field.
    pub(crate) index: usize,
    /// In how many others it lies.
    pub(crate) depth: usize,
    /// How many of its parts are folded away.
    pub(crate) folded: usize,
}

/// The rows that are open while one stands on the field `cursor`.
pub(crate) fn rows(fields: &[Field], cursor: usize) -> Vec<Row> {
    let parents = parents(fields);
    let mut open = vec![false; fields.len()];
    let mut at = Some(cursor);
    while let Some(index) = at.filter(|&index| index < fields.len()) {
        open[index] = true;
        at = parents[index];
    }
    let mut rows: Vec<Row> = Vec::new();
    let mut depths = vec![0; fields.len()];
    let mut row_of = vec![None; fields.len()];
    for (index, parent) in parents.iter().enumerate() {
        if let Some(parent) = *parent {
            depths[index] = depths[parent] + 1;
            if !open[parent] {
                let row = row_of[parent].and_then(|row: usize| rows.get_mut(row));
                row.into_iter().for_each(|row| row.folded += 1);
                continue;
            }
        }
        row_of[index] = Some(rows.len());
        rows.push(Row { index, depth: depths[index], folded: 0 });
    }
    rows
}

/// The field in which each lies most closely. They come in order, a whole before its parts.
fn parents(fields: &[Field]) -> Vec<Option<usize>> {
    let mut around: Vec<usize> = Vec::new();
    let mut parents = Vec::with_capacity(fields.len());
    for (index, field) in fields.iter().enumerate() {
        let place = field.place();
        while around.pop_if(|outer| fields[*outer].place().end <= place.start).is_some() {}
        parents.push(around.last().copied());
        around.push(index);
    }
    parents
}

/// The row above or below, by so many.
pub(crate) fn moved(fields: &[Field], cursor: usize, by: isize) -> usize {
    let rows = rows(fields, cursor);
    let at = rows.iter().position(|row| row.index == cursor).unwrap_or(0);
    let to = at.saturating_add_signed(by).min(rows.len().saturating_sub(1));
    rows.get(to).map_or(0, |row| row.index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(bytes: std::ops::Range<usize>) -> Field {
        Field::new("", bytes, "", "", "")
    }

    fn indices(fields: &[Field], cursor: usize) -> Vec<usize> {
        rows(fields, cursor).iter().map(|row| row.index).collect()
    }

    #[test]
    fn parts_are_open_while_one_stands_in_their_whole() {
        let fields = [field(0..2), field(2..6), field(2..3), field(3..6), field(3..4), field(6..8)];
        assert_eq!(indices(&fields, 0), [0, 1, 5]);
        assert_eq!(indices(&fields, 1), [0, 1, 2, 3, 5]);
        assert_eq!(indices(&fields, 4), [0, 1, 2, 3, 4, 5]);
        assert_eq!(rows(&fields, 0)[1].folded, 2);
        assert_eq!(rows(&fields, 4).iter().map(|row| row.depth).collect::<Vec<_>>(), [0, 0, 1, 1, 2, 0]);
    }

    #[test]
    fn down_goes_into_a_whole_and_stops_at_the_end() {
        let fields = [field(0..2), field(2..6), field(2..3), field(6..8)];
        let mut seen = vec![0];
        for _ in 0..5 {
            seen.push(moved(&fields, *seen.last().expect("one"), 1));
        }
        assert_eq!(seen, [0, 1, 2, 3, 3, 3]);
        assert_eq!(moved(&fields, 3, -1), 1);
        assert_eq!(moved(&[], 0, 1), 0);
    }
}
