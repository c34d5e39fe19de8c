//! A row's values, as the file has them.

/// A value. Text is its UTF-8; a truth is 0 or 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Null,
    Int(i64),
    Bytes(Vec<u8>),
}

/// The longest row, in bytes. Ours have some hundred, and a list of cookies some thousand.
pub const ROW_MAX: usize = 16 << 20;

/// A tag for each value, then the number (8 bytes, the highest first) or the length (4 bytes) and the bytes.
pub fn write(row: &[Value], out: &mut Vec<u8>) {
    for value in row {
        match value {
            Value::Null => out.push(0),
            Value::Int(n) => {
                out.push(1);
                out.extend_from_slice(&n.to_be_bytes());
            }
            Value::Bytes(bytes) => {
                out.push(2);
                out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
                out.extend_from_slice(bytes);
            }
        }
    }
}

/// A row of so many values. `None`: it isn't one.
pub fn read(mut bytes: &[u8], columns: usize) -> Option<Vec<Value>> {
    let mut row = Vec::with_capacity(columns);
    for _ in 0..columns {
        let (tag, rest) = bytes.split_first()?;
        let (value, rest) = match tag {
            0 => (Value::Null, rest),
            1 => {
                let (n, rest) = rest.split_first_chunk()?;
                (Value::Int(i64::from_be_bytes(*n)), rest)
            }
            2 => {
                let (len, rest) = rest.split_first_chunk()?;
                let (bytes, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)?;
                (Value::Bytes(bytes.to_vec()), rest)
            }
            _ => return None,
        };
        row.push(value);
        bytes = rest;
    }
    bytes.is_empty().then_some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_comes_back() {
        let row = [Value::Null, Value::Int(i64::MIN), Value::Bytes(vec![]), Value::Bytes(vec![0, 255])];
        let mut bytes = Vec::new();
        write(&row, &mut bytes);
        assert_eq!(read(&bytes, row.len()).unwrap(), row);
        for wrong in [0, row.len() - 1, row.len() + 1] {
            assert_eq!(read(&bytes, wrong), None);
        }
        for cut in 0..bytes.len() {
            assert_eq!(read(&bytes[..cut], row.len()), None);
        }
    }
}
