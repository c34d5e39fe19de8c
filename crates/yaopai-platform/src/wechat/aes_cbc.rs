//! AES-CBC as WeChat uses it: the data is a multiple of AES's 16 bytes, and PKCS#7 pads it to a block that need not be AES's.

use aes::cipher::{Block, BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeLess};

/// Decrypts in place.
///
/// # Errors
/// The data's, the key's or the IV's length is wrong.
pub(super) fn decrypt<C>(key: &[u8], iv: &[u8], data: &mut [u8]) -> Result<(), ()>
where
    C: BlockCipherDecrypt + KeyInit,
    cbc::Decryptor<C>: BlockModeDecrypt<BlockSize = C::BlockSize> + KeyIvInit,
{
    let mut cipher = cbc::Decryptor::<C>::new_from_slices(key, iv).map_err(drop)?;
    let (blocks, rest) = Block::<C>::slice_as_chunks_mut(data);
    if blocks.is_empty() || !rest.is_empty() {
        return Err(());
    }
    cipher.decrypt_blocks(blocks);
    Ok(())
}

/// The length without PKCS#7 padding (RFC 5652, section 6.3) to `block` bytes, and whether it was padded rightly; the whole
/// length if it was not. Takes the same time whatever is in the data: to tell bad padding from bad content is to decrypt.
pub(super) fn unpadded(data: &[u8], block: u8) -> (usize, Choice) {
    let Some((&pad, whole)) = data.last().zip(u8::try_from(data.len().min(usize::from(block))).ok()) else {
        return (data.len(), Choice::from(0));
    };
    let mut good = !pad.ct_eq(&0) & !whole.ct_lt(&pad);
    for (i, byte) in (0..whole).zip(data.iter().rev()) {
        good &= !i.ct_lt(&pad) | byte.ct_eq(&pad);
    }
    let pad = u8::conditional_select(&0, &pad, good);
    (data.len() - usize::from(pad), good)
}

#[cfg(test)]
mod tests {
    use super::unpadded;

    #[test]
    fn padding() {
        let (one, all) = ([7u8, 7, 7, 1], [4u8; 4]);
        for (data, block, expected) in [
            (&one[..], 4, Some(3)),
            (&all, 4, Some(0)),
            (&all, 32, Some(0)),
            (&[9, 9, 3, 3, 3], 16, Some(2)),
            // Longer than the block, longer than the data, none, unequal, nothing at all.
            (&[5, 5, 5, 5, 5], 4, None),
            (&[9, 9, 4], 4, None),
            (&[9, 9, 0], 4, None),
            (&[9, 2, 3, 3], 4, None),
            (&[3, 9, 3], 4, None),
            (&[], 16, None),
        ] {
            let (len, good) = unpadded(data, block);
            assert_eq!(bool::from(good).then_some(len), expected, "{data:?} in {block}");
            assert!(bool::from(good) || len == data.len());
        }
    }
}
