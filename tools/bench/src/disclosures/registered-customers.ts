import type { Asking } from './asking.js';

const AT_ONCE = 8;

/** Customers that came in through the routes, so that both services know them; each permits a recipient one purpose. */
export async function registerCustomers(asking: Asking, count: number, recipient: string): Promise<readonly string[]> {
  const customers: string[] = [];
  let begun = 0;
  const registerOn = async (): Promise<void> => {
    while (begun < count) {
      const n = (begun += 1);
      const customer = await asking.register({
        companyName: `Company ${n}`,
        registeredAddress: `${n} Oak Street\nSpringfield`,
        servicesUsed: 'web hosting',
        email: `accounts@company-${n}.example`,
      });
      await asking.permit(customer, recipient, 'recommendation');
      customers.push(customer);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, registerOn));
  return customers;
}
