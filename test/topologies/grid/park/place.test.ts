import test from 'ava';
import fc from 'fast-check';
import { type Place, placeSerde } from '../../../../topologies/grid/park/place.ts';

const place = { commune: '01026', departement: '01', pdk: '7', region: '4' };

test('a place is four texts with their lengths', (t) => {
  t.is(Buffer.from(placeSerde.serialize(place)).toString('hex'), '00053031303236000230310001370001' + '34');
});

test('any place comes back, and bytes that are reused do not change it', (t) => {
  const text = fc.string({ unit: 'grapheme' });
  fc.assert(
    fc.property(fc.record({ commune: text, departement: text, pdk: text, region: text }), (any: Place) => {
      const bytes = placeSerde.serialize(any);
      const read = placeSerde.deserialize(bytes);
      bytes.fill(0);
      t.deepEqual(read, any);
      t.deepEqual(placeSerde.deserialize(placeSerde.serialize(any)), any);
    }),
  );
});

test('a name is a fifth text, behind empty ids', (t) => {
  const named = { commune: '', departement: '', pdk: '', region: '', name: 'AIN' };
  t.is(Buffer.from(placeSerde.serialize(named)).toString('hex'), '0000000000000000' + '000341494e');
  t.deepEqual(placeSerde.deserialize(placeSerde.serialize(named)), named);
});

test('places are written in place if they fit', (t) => {
  const target = new Uint8Array(20);
  const length = placeSerde.serialize(place).length;
  t.is(placeSerde.write?.(place, target, 2), 2 + length);
  t.deepEqual(target.subarray(2, 2 + length), placeSerde.serialize(place));
  t.is(placeSerde.write?.(place, target, 21 - length), -1);
});

test('bytes that are no place are refused', (t) => {
  const bytes = placeSerde.serialize(place);
  t.throws(() => placeSerde.deserialize(bytes.subarray(0, 10)), { message: /too few/ });
  t.throws(() => placeSerde.deserialize(new Uint8Array(0)), { message: /too few/ });
  t.throws(() => placeSerde.deserialize(Buffer.concat([bytes, bytes])), { message: /too many/ });
});
