package weir.parity;

/** The arithmetic of the topologies, kept so simple that any language does the same. */
final class Values {
    private Values() {}

    /** The integer that a text spells. */
    static long number(final String value) {
        return Long.parseLong(value);
    }

    static boolean even(final String value) {
        return value != null && number(value) % 2 == 0;
    }

    /** {@code k0} to {@code k3} by the number modulo 4; null for null. */
    static String bucket(final String value) {
        return value == null ? null : "k" + number(value) % 4;
    }

    /** The last 16 characters. */
    static String tail(final String text) {
        return text.length() <= 16 ? text : text.substring(text.length() - 16);
    }

    /** The first character of a value such as {@code A5}: its group. {@code -} stands for no group, null. */
    static String group(final String value) {
        return value.charAt(0) == '-' ? null : value.substring(0, 1);
    }

    /** What follows the group of a value such as {@code A5}; null for {@code 0}. */
    static String amount(final String value) {
        final String amount = value.substring(1);
        return amount.equals("0") ? null : amount;
    }
}
