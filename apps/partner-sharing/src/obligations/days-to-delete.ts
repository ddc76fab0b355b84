/** Days a recipient has to do so and confirm, unless its agreement says otherwise. */
export const DAYS_TO_DELETE = 30;
/** And the most that an agreement may give. */
export const MOST_DAYS_TO_DELETE = 90;
